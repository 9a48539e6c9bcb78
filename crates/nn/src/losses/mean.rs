//! Losses that compare column by column.

use super::Row;

/// The mean over columns of `value(p − t)`; `slope` is its derivative.
pub(super) fn mean_over_columns(row: Row<'_>, value: impl Fn(f32) -> f32, slope: impl Fn(f32) -> f32) -> f32 {
    let (p, truth, scale) = (row.prediction, row.truth, row.scale);
    let cols = p.len();
    if let Some(g) = row.gradient {
        for (j, (g, v)) in g.iter_mut().zip(p).enumerate() {
            *g = slope(v - truth.value(j, cols)) / cols as f32 * scale;
        }
    }
    p.iter().enumerate().map(|(j, v)| value(v - truth.value(j, cols))).sum::<f32>() / cols as f32
}
