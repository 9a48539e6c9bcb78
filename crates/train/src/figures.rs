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

/// Four digits behind the point; small numbers (learning rates) with exponent.
pub fn rounded(value: f64) -> String {
    if value != 0.0 && value.abs() < 1e-3 { format!("{value:.2e}") } else { format!("{value:.4}") }
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
    fn numbers() {
        assert_eq!([0, 999, 1000, 60_000, 1_234_567].map(count), ["0", "999", "1,000", "60,000", "1,234,567"]);
        assert_eq!([0.0, 0.12345, 1e-4, 12.0].map(rounded), ["0.0000", "0.1235", "1.00e-4", "12.0000"]);
        assert_eq!([1.25, 119.94, 125.4].map(duration), ["1.2 s", "119.9 s", "2 min 5 s"]);
        assert_eq!(figures([("loss", 0.5), ("accuracy", 1.0)]), "loss 0.5000, accuracy 1.0000");
    }
}
