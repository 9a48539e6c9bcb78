//! Metrics.

/// Index of the largest value; the first of equals, as numpy's `argmax`. A NaN counts as the largest, as there.
pub fn arg_max(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate().skip(1) {
        if *value > values[best] || (value.is_nan() && !values[best].is_nan()) {
            best = index;
        }
    }
    best
}
