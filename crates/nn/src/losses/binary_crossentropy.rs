//! `BinaryCrossentropy`: the mean over columns of −t·ln p − (1 − t)·ln(1 − p) (keras/src/losses/losses.py).

use super::probabilities::{EPSILON, HIGH, inside, smoothed};
use super::{LossFunction, Row, Source};
use crate::keras_object;
use crate::object::range;

keras_object! {
    /// Mean over columns of −t·ln p − (1 − t)·ln(1 − p).
    pub struct BinaryCrossentropy("binary_crossentropy", "bce") {
        /// Whether the output is logits rather than probabilities; false by default.
        from_logits: bool = false,
        /// s of t·(1 − s) + s / 2, from 0 to 1; 0 by default.
        label_smoothing: f32 where range::SHARE = 0.0,
    } fixed { axis: -1 }
}

impl LossFunction for BinaryCrossentropy {
    fn undoes(&self) -> Option<Source> {
        Some(Source::SigmoidLogits)
    }

    fn not_as_metric(&self) -> &'static [&'static str] {
        &["axis"]
    }

    fn row(&self, row: Row<'_>) -> f32 {
        let target = smoothed(row.truth, self.label_smoothing, row.prediction.len(), 0.5);
        if self.from_logits || row.logits {
            of_logits(row.prediction, target, row.gradient, row.scale)
        } else {
            of_probabilities(row.prediction, target, row.gradient, row.scale)
        }
    }
}

/// max(z, 0) − z·t + ln(1 + e^−|z|). Gradient (σ(z) − t) / cols.
fn of_logits(z: &[f32], target: impl Fn(usize) -> f32, gradient: Option<&mut [f32]>, scale: f32) -> f32 {
    let cols = z.len() as f32;
    if let Some(g) = gradient {
        for (j, (g, v)) in g.iter_mut().zip(z).enumerate() {
            let small = (-v.abs()).exp();
            let probability = if *v >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
            *g = (probability - target(j)) / cols * scale;
        }
    }
    let sum: f32 = z.iter().enumerate().map(|(j, v)| v.max(0.0) - v * target(j) + (-v.abs()).exp().ln_1p()).sum();
    sum / cols
}

/// Gradient ((1 − t) / (1 − p) − t / p) / cols inside the clip.
fn of_probabilities(p: &[f32], target: impl Fn(usize) -> f32, gradient: Option<&mut [f32]>, scale: f32) -> f32 {
    let cols = p.len() as f32;
    if let Some(g) = gradient {
        for (j, (g, v)) in g.iter_mut().zip(p).enumerate() {
            let t = target(j);
            *g = if inside(*v) { ((1.0 - t) / (1.0 - v) - t / v) / cols * scale } else { 0.0 };
        }
    }
    let sum: f32 = p
        .iter()
        .enumerate()
        .map(|(j, v)| {
            let (t, q) = (target(j), v.clamp(EPSILON, HIGH));
            -(t * q.ln() + (1.0 - t) * (1.0 - q).ln())
        })
        .sum();
    sum / cols
}
