//! Columns and shares.

/// Widest column of names.
const WIDEST: usize = 60;

/// The width of a column of names under `title`, in characters. Names that are longer than 60 characters stick out of it.
pub fn column<'a>(title: &str, names: impl IntoIterator<Item = &'a String>) -> usize {
    let longest = names.into_iter().map(|name| name.chars().count()).max().unwrap_or(0);
    longest.min(WIDEST).max(title.len())
}

/// `0.983` as `98.3 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_names_within_bounds() {
        let names = |lengths: &[usize]| lengths.iter().map(|&length| "é".repeat(length)).collect::<Vec<String>>();
        assert_eq!(column("kind", &names(&[])), 4);
        assert_eq!(column("kind", &names(&[2, 9])), 9);
        // A width above 65,535 would panic when it is formatted.
        let width = column("kind", &names(&[100_000]));
        assert_eq!((width, format!("{:<width$}", "kind").len()), (60, 60));
    }

    #[test]
    fn shares() {
        assert_eq!(percent(0.98345), "98.3 %");
    }
}
