//! `KLDivergence`: Σ t·ln(t / p) (keras/src/losses/losses.py).

use super::probabilities::EPSILON;
use super::{LossFunction, Row};
use crate::keras_object;

keras_object! {
    /// Σ t·ln(t / p), both clipped to \[ε, 1\].
    pub struct KLDivergence("kl_divergence", "kld", "kullback_leibler_divergence") {}
}

impl LossFunction for KLDivergence {
    fn row(&self, row: Row<'_>) -> f32 {
        let (p, truth, scale) = (row.prediction, row.truth, row.scale);
        let cols = p.len();
        let target = |j| truth.value(j, cols).clamp(EPSILON, 1.0);
        // −t / p where p was inside the clip.
        if let Some(g) = row.gradient {
            for (j, (g, v)) in g.iter_mut().zip(p).enumerate() {
                *g = if (EPSILON..=1.0).contains(v) { -target(j) / v * scale } else { 0.0 };
            }
        }
        p.iter().enumerate().map(|(j, v)| target(j) * (target(j) / v.clamp(EPSILON, 1.0)).ln()).sum()
    }
}
