//! `Hinge`: the mean over columns of max(1 − t·p, 0) (keras/src/losses/losses.py).

use super::{LossFunction, Row};
use crate::keras_object;

keras_object! {
    /// Mean over columns of max(1 − t·p, 0), with targets of −1 and 1. A row of zeros and ones counts as −1 and 1; Keras decides that for
    /// the whole batch.
    pub struct Hinge("hinge") {}
}

impl LossFunction for Hinge {
    fn row(&self, row: Row<'_>) -> f32 {
        let (p, truth, scale) = (row.prediction, row.truth, row.scale);
        let cols = p.len();
        let binary = (0..cols).all(|j| [0.0, 1.0].contains(&truth.value(j, cols)));
        let target = |j: usize| if binary { 2.0 * truth.value(j, cols) - 1.0 } else { truth.value(j, cols) };
        // −t / cols where the hinge is open; none at the hinge itself.
        if let Some(g) = row.gradient {
            for (j, (g, v)) in g.iter_mut().zip(p).enumerate() {
                *g = if 1.0 - target(j) * v > 0.0 { -target(j) / cols as f32 * scale } else { 0.0 };
            }
        }
        p.iter().enumerate().map(|(j, v)| (1.0 - target(j) * v).max(0.0)).sum::<f32>() / cols as f32
    }
}
