//! `Poisson`: the mean over columns of p − t·ln p (keras/src/losses/losses.py).

use super::probabilities::EPSILON;
use super::{LossFunction, Row};
use crate::keras_object;

keras_object! {
    /// Mean over columns of p − t·ln(p + ε), for counts.
    pub struct Poisson("poisson") {}
}

impl LossFunction for Poisson {
    fn row(&self, row: Row<'_>) -> f32 {
        let (p, truth, scale) = (row.prediction, row.truth, row.scale);
        let cols = p.len();
        // (1 − t / (p + ε)) / cols.
        if let Some(g) = row.gradient {
            for (j, (g, v)) in g.iter_mut().zip(p).enumerate() {
                *g = (1.0 - truth.value(j, cols) / (v + EPSILON)) / cols as f32 * scale;
            }
        }
        p.iter().enumerate().map(|(j, v)| v - truth.value(j, cols) * (v + EPSILON).ln()).sum::<f32>() / cols as f32
    }
}
