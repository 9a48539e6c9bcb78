//! Numbers as people read them.

/// `60000` as `60,000`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Widest column of names.
const WIDEST: usize = 60;

/// The width of a column of names under `title`, in characters. Names that are longer than 60 characters stick out of it.
pub fn column<'a>(title: &str, names: impl IntoIterator<Item = &'a String>) -> usize {
    let longest = names.into_iter().map(|name| name.chars().count()).max().unwrap_or(0);
    longest.min(WIDEST).max(title.len())
}

/// Four digits behind the point; small numbers (learning rates) with exponent.
pub fn rounded(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 { format!("{value:.2e}") } else { format!("{value:.4}") }
}

/// `0.983` as `98.3 %`.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// `loss 0.1234, accuracy 0.9876`.
pub fn figures<'a>(values: impl IntoIterator<Item = (&'a str, f64)>) -> String {
    values.into_iter().map(|(name, value)| format!("{name} {}", rounded(value))).collect::<Vec<_>>().join(", ")
}

/// Seconds as `12.3 s`, from two minutes on as `2 min 5 s`.
pub fn duration(seconds: f64) -> String {
    if seconds < 120.0 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    format!("{} min {} s", whole / 60, whole % 60)
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
    fn numbers() {
        assert_eq!([0, 999, 1000, 60_000, 1_234_567].map(count), ["0", "999", "1,000", "60,000", "1,234,567"]);
        assert_eq!([0.0, 0.12345, 1e-4, 12.0].map(rounded), ["0.0000", "0.1235", "1.00e-4", "12.0000"]);
        assert_eq!(percent(0.98345), "98.3 %");
        assert_eq!([1.25, 119.94, 125.4].map(duration), ["1.2 s", "119.9 s", "2 min 5 s"]);
        assert_eq!(figures([("loss", 0.5), ("accuracy", 1.0)]), "loss 0.5000, accuracy 1.0000");
    }
}
