//! `CosineSimilarity`: minus the cosine of the angle between truth and prediction (keras/src/losses/losses.py).

use super::probabilities::EPSILON;
use super::{LossFunction, Row, RowTarget};
use crate::keras_object;

keras_object! {
    /// −Σ t·p / (|t|·|p|): −1 where both point the same way, 0 at a right angle, 1 where they point apart.
    pub struct CosineSimilarity("cosine_similarity") {} accepted { axis: [-1] }
}

/// 1 / |v|, at most 1 / ε, as Keras' `normalize` bounds it; and whether it is at the bound, where it has no slope.
fn inverse_length(squares: f32) -> (f32, bool) {
    let inverse = 1.0 / squares.sqrt();
    if inverse < 1.0 / EPSILON { (inverse, false) } else { (1.0 / EPSILON, true) }
}

/// The cosine, and the inverse lengths of truth and prediction.
pub(crate) fn cosine(truth: RowTarget<'_>, p: &[f32]) -> (f32, f32, (f32, bool)) {
    let cols = p.len();
    let of_truth = inverse_length((0..cols).map(|j| truth.value(j, cols) * truth.value(j, cols)).sum()).0;
    let of_prediction = inverse_length(p.iter().map(|v| v * v).sum());
    let cosine = p.iter().enumerate().map(|(j, v)| truth.value(j, cols) * of_truth * (v * of_prediction.0)).sum();
    (cosine, of_truth, of_prediction)
}

impl LossFunction for CosineSimilarity {
    /// Keras' metric of this name is the cosine itself.
    fn metric(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    fn row(&self, row: Row<'_>) -> f32 {
        let (p, truth, scale) = (row.prediction, row.truth, row.scale);
        let (cosine, of_truth, (inverse, bounded)) = cosine(truth, p);
        // −(t̂ − cosine·p̂) / |p|.
        if let Some(g) = row.gradient {
            let along = if bounded { 0.0 } else { cosine };
            for (j, (g, v)) in g.iter_mut().zip(p).enumerate() {
                *g = -(truth.value(j, p.len()) * of_truth - along * (v * inverse)) * inverse * scale;
            }
        }
        -cosine
    }
}
