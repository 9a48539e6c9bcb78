//! Round numbers for an axis.

/// Round values (1, 2 or 5 times a power of ten) within `low..=high`, about `wanted` of them, and their text.
pub(super) fn ticks(low: f64, high: f64, wanted: usize) -> Vec<(f64, String)> {
    let range = high - low;
    if !range.is_finite() || range <= 0.0 {
        return Vec::new();
    }
    let raw = range / wanted.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= raw * 0.999).unwrap_or(10.0 * power);
    let decimals = (-step.log10().floor()).clamp(0.0, 12.0) as usize;
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    let text = |v: f64| if v.abs() >= 1e6 { format!("{v:.0e}") } else { format!("{v:.decimals$}") };
    (first..=last).take(50).map(|i| i as f64 * step).map(|v| (v, text(v))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(low: f64, high: f64, wanted: usize) -> Vec<String> {
        ticks(low, high, wanted).into_iter().map(|t| t.1).collect()
    }

    #[test]
    fn round_numbers() {
        assert_eq!(texts(0.0, 1.0, 5), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(texts(0.9, 0.993, 4), ["0.90", "0.95"]);
        assert_eq!(texts(1.0, 12.0, 6), ["2", "4", "6", "8", "10", "12"]);
        assert_eq!(texts(-3.0, 3.0, 3), ["-2", "0", "2"]);
        assert!(texts(1.0, 1.0, 5).is_empty() && texts(0.0, f64::NAN, 5).is_empty());
    }
}
