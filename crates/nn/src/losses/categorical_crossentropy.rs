//! `CategoricalCrossentropy`: −Σ t·ln p (keras/src/losses/losses.py).

use super::probabilities::{EPSILON, HIGH, inside, smoothed, softmax};
use super::{Labels, LossFunction, Row, Source};
use crate::keras_object;
use crate::object::range;

keras_object! {
    /// −Σ t·ln p, for targets that are one-hot rows or a probability for each class.
    pub struct CategoricalCrossentropy("categorical_crossentropy") {
        /// Whether the output is logits rather than probabilities; false by default.
        from_logits: bool = false,
        /// s of t·(1 − s) + s / cols, from 0 to 1; 0 by default.
        label_smoothing: f32 where range::SHARE = 0.0,
    } fixed { axis: -1 }
}

impl LossFunction for CategoricalCrossentropy {
    fn labels(&self) -> Labels {
        Labels::OneHot
    }

    fn undoes(&self) -> Option<Source> {
        Some(Source::SoftmaxLogits)
    }

    fn row(&self, row: Row<'_>) -> f32 {
        if self.from_logits || row.logits {
            return softmax(row, self.label_smoothing);
        }
        // Normalize, clip, −Σ t·ln q.
        let (p, scale) = (row.prediction, row.scale);
        let cols = p.len();
        let total: f32 = p.iter().sum();
        let target = smoothed(row.truth, self.label_smoothing, cols, 1.0 / cols as f32);
        let mut loss = 0.0;
        let mut mean_slope = 0.0;
        for (j, v) in p.iter().enumerate() {
            let (q, t) = (v / total, target(j));
            if t != 0.0 {
                loss -= t * q.clamp(EPSILON, HIGH).ln();
                if inside(q) {
                    mean_slope -= t;
                }
            }
        }
        // Gradient through both: with a_j = −t_j / q_j inside the clip, (a_j − Σ a·q) / Σp.
        if let Some(g) = row.gradient {
            for (j, (g, v)) in g.iter_mut().zip(p).enumerate() {
                let (q, t) = (v / total, target(j));
                let slope = if inside(q) { -t / q } else { 0.0 };
                *g = (slope - mean_slope) / total * scale;
            }
        }
        loss
    }
}
