//! The largest of some values.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_is_largest() {
        assert_eq!(arg_max(&[1.0, 3.0, 3.0]), 1);
        assert_eq!(arg_max(&[2.0]), 0);
        assert_eq!(arg_max(&[f32::NEG_INFINITY; 3]), 0);
        assert_eq!(arg_max(&[1.0, f32::NAN, 3.0, f32::NAN]), 1);
    }
}
