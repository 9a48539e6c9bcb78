//! `SparseCategoricalCrossentropy`: −ln p\[class\] (keras/src/losses/losses.py).

use super::probabilities::{EPSILON, HIGH, inside, softmax};
use super::{Labels, LossFunction, Row, RowTarget, Source};
use crate::keras_object;

keras_object! {
    /// −ln p\[class\], for targets that are one class number a row.
    pub struct SparseCategoricalCrossentropy("sparse_categorical_crossentropy") {
        /// Whether the output is logits rather than probabilities; false by default.
        from_logits: bool = false,
        /// Rows of this class count neither in the sum nor in the mean; none by default.
        ignore_class: Option<i64> = None,
    } accepted { axis: [-1] }
}

impl LossFunction for SparseCategoricalCrossentropy {
    fn labels(&self) -> Labels {
        Labels::Classes
    }

    fn undoes(&self) -> Option<Source> {
        Some(Source::SoftmaxLogits)
    }

    fn ignores(&self, label: i64) -> bool {
        self.ignore_class == Some(label)
    }

    fn not_as_metric(&self) -> &'static [&'static str] {
        &["ignore_class"]
    }

    fn row(&self, row: Row<'_>) -> f32 {
        if self.from_logits || row.logits {
            return softmax(row, 0.0);
        }
        // As Keras does it: clip, take logarithms, then treat those as logits (which normalizes).
        let RowTarget::Class(class) = row.truth else { return f32::NAN };
        let (p, scale) = (row.prediction, row.scale);
        let total: f32 = p.iter().map(|v| v.clamp(EPSILON, HIGH)).sum();
        // Gradient through the clip: (q − t) / p where p was inside.
        if let Some(g) = row.gradient {
            for (j, (g, v)) in g.iter_mut().zip(p).enumerate() {
                let hit = f32::from(u8::from(j == class));
                *g = if inside(*v) { (v / total - hit) / v * scale } else { 0.0 };
            }
        }
        total.ln() - p[class].clamp(EPSILON, HIGH).ln()
    }
}
