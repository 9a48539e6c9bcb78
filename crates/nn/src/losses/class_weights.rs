//! Class weights as sample weights (Keras' `class_weight_to_sample_weights`).

use super::Target;

/// Multiplies each row's sample weight, `[rows]`, by the weight of its class; classes without one count 1.
///
/// `weights` is indexed by class. A row of values belongs to its largest column; a single column is a class number.
///
/// # Panics
/// When the target does not have `sample_weight.len()` rows.
pub fn apply_class_weights(weights: &[f32], target: Target<'_>, sample_weight: &mut [f32]) {
    let rows = sample_weight.len();
    let of = |class: usize| weights.get(class).copied().unwrap_or(1.0);
    match target {
        Target::Classes(classes) => {
            assert_eq!(classes.len(), rows, "one class a sample weight");
            for (out, class) in sample_weight.iter_mut().zip(classes) {
                *out *= of(*class as usize);
            }
        }
        Target::Values(values) if values.len() == rows => {
            for (out, value) in sample_weight.iter_mut().zip(values) {
                *out *= of(value.round() as usize);
            }
        }
        Target::Values(values) => {
            assert!(rows > 0 && values.len() % rows == 0, "a row of values a sample weight");
            for (out, row) in sample_weight.iter_mut().zip(values.chunks_exact(values.len() / rows)) {
                *out *= of(crate::arg_max::arg_max(row));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_kinds_of_targets() {
        let weights = [1.0, 2.0];
        let mut out = [1.0, 0.5, 1.0];
        apply_class_weights(&weights, Target::Classes(&[0, 1, 2]), &mut out);
        assert_eq!(out, [1.0, 1.0, 1.0]);
        apply_class_weights(&weights, Target::Values(&[0.0, 1.0, 1.0]), &mut out);
        assert_eq!(out, [1.0, 2.0, 2.0]);
        let mut out = [1.0, 1.0];
        apply_class_weights(&weights, Target::Values(&[0.0, 1.0, 1.0, 0.0]), &mut out);
        assert_eq!(out, [2.0, 1.0]);
    }
}
