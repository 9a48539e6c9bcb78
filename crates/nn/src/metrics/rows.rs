//! Figures of a single row.

use super::arg_max;
use crate::losses::Target;

/// The class of a row: as given, or the largest of its values.
pub(super) fn class(target: &Target<'_>, row: usize, rows: usize, cols: usize) -> i64 {
    match target {
        Target::Values(values) if values.len() != rows || cols == 1 => arg_max(&values[row * cols..(row + 1) * cols]) as i64,
        _ => target.label(row),
    }
}

/// 1 when the largest column is the class.
pub(super) fn hit(class: i64, p: &[f32]) -> f32 {
    f32::from(u8::from(arg_max(p) as i64 == class))
}

/// 1 when fewer than `k` columns are larger than the class's (TensorFlow's `in_top_k`: nothing is where values are not finite).
pub(super) fn in_top_k(class: i64, p: &[f32], k: usize) -> f32 {
    let Some(own) = usize::try_from(class).ok().and_then(|class| p.get(class)) else { return 0.0 };
    let sure = p.iter().all(|value| value.is_finite());
    let larger = p.iter().filter(|value| *value > own).count();
    f32::from(u8::from(sure && larger < k))
}

/// Share of columns on the target's side of the threshold.
pub(super) fn binary_hits(truth: impl Fn(usize) -> f32, p: &[f32], threshold: f32) -> f32 {
    let side = |value: f32| f32::from(u8::from(value > threshold));
    let hits = p.iter().enumerate().filter(|(column, value)| side(**value) == truth(*column)).count();
    hits as f32 / p.len() as f32
}

/// Whether a column is among the `k` largest; of equals the first come first.
pub(super) fn among_largest(p: &[f32], column: usize, k: usize) -> bool {
    let own = p[column];
    let before = p.iter().enumerate().filter(|(i, value)| **value > own || (**value == own && *i < column)).count();
    before < k
}
