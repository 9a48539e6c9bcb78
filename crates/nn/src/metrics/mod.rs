//! Metrics: figures over an epoch, by Keras' names and formulas (keras/src/metrics).
//!
//! A [`Metric`] is configuration; a [`MetricState`] sums, in f64 and in row order, and answers.

mod auc;
mod calibration;
mod confusion;
mod counts;
#[cfg(test)]
mod golden_tests;
mod rows;
mod serde;
mod state;

pub use calibration::Calibration;
pub use confusion::{ClassReport, ConfusionMatrix};
pub use state::MetricState;

use crate::losses::Loss;

/// A metric's configuration: what it measures, and the name it is printed under.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// What it measures.
    pub kind: MetricKind,
    /// The name in logs; absent means Keras' default for the kind.
    pub name: Option<String>,
}

/// What a metric measures. Numeric parameters are Keras', with Keras' defaults when read from configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum MetricKind {
    /// "accuracy": the accuracy that fits the loss ([`Metric::resolve`]); unresolved, what fits the target at hand.
    Accuracy,
    /// Share of rows whose largest column is the class.
    SparseCategoricalAccuracy,
    /// Share of rows whose largest column is the target's largest.
    CategoricalAccuracy,
    /// Share of values on the target's side of the threshold.
    BinaryAccuracy {
        /// Default 0.5.
        threshold: f32,
    },
    /// Share of rows whose class is among the k largest columns; ties at the edge count as among them.
    SparseTopKCategoricalAccuracy {
        /// Default 5.
        k: usize,
    },
    /// The same with the target's largest column as class.
    TopKCategoricalAccuracy {
        /// Default 5.
        k: usize,
    },
    /// True positives over predicted positives, over all columns or one.
    Precision(Positives),
    /// True positives over actual positives, over all columns or one.
    Recall(Positives),
    /// Harmonic mean of precision and recall of each column, averaged.
    F1Score {
        /// How columns become one figure; absent (Keras' default) prints their plain mean here.
        average: Option<Average>,
        /// Values beyond it are positive; absent, each row's largest is.
        threshold: Option<f32>,
    },
    /// Area under the curve.
    Auc(Auc),
    /// A loss, as a mean over rows.
    Loss(Loss),
}

/// When a value counts as positive, for precision and recall.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Positives {
    /// Values beyond it are positive; absent means 0.5, or any with `top_k`.
    pub threshold: Option<f32>,
    /// Only the k largest columns of a row can be positive.
    pub top_k: Option<usize>,
    /// Only this column counts.
    pub class_id: Option<usize>,
}

/// How the F1 scores of columns become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Average {
    /// One score of the counts of all columns.
    Micro,
    /// The plain mean.
    Macro,
    /// The mean weighted by the columns' positives.
    Weighted,
}

/// Parameters of the area under a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Auc {
    /// Thresholds, evenly over \[0, 1\]; at least 2, default 200.
    pub num_thresholds: usize,
    /// Which curve.
    pub curve: Curve,
    /// How the area between two thresholds is taken.
    pub summation: Summation,
    /// Predictions are logits.
    pub from_logits: bool,
}

impl Default for Auc {
    fn default() -> Auc {
        Auc { num_thresholds: 200, curve: Curve::Roc, summation: Summation::Interpolation, from_logits: false }
    }
}

/// A curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// True-positive rate over false-positive rate.
    Roc,
    /// Precision over recall.
    Pr,
}

/// How the area between two thresholds is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Summation {
    /// Trapezia; for precision–recall the interpolation of Davis and Goadrich (2006).
    Interpolation,
    /// The lower of the two heights.
    Minoring,
    /// The higher.
    Majoring,
}

impl From<MetricKind> for Metric {
    fn from(kind: MetricKind) -> Metric {
        Metric { kind, name: None }
    }
}

impl Metric {
    /// "accuracy", to be resolved by the loss.
    pub fn accuracy() -> Metric {
        MetricKind::Accuracy.into()
    }

    /// The same under another name.
    pub fn named(mut self, name: &str) -> Metric {
        self.name = Some(name.into());
        self
    }

    /// The name in logs.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.kind.default_name())
    }

    /// "accuracy" as the kind that fits (Keras' `get_metric`): binary for one column, sparse for a loss over classes, else
    /// categorical. The printed name stays. Other metrics are returned as they are.
    pub fn resolve(&self, loss: &Loss, cols: usize) -> Metric {
        if self.kind != MetricKind::Accuracy {
            return self.clone();
        }
        let kind = if cols == 1 {
            MetricKind::BinaryAccuracy { threshold: 0.5 }
        } else if loss.takes_classes() {
            MetricKind::SparseCategoricalAccuracy
        } else {
            MetricKind::CategoricalAccuracy
        };
        Metric { kind, name: Some(self.name().into()) }
    }

    /// Whether larger is better: for callbacks that watch it.
    pub fn larger_is_better(&self) -> bool {
        !matches!(self.kind, MetricKind::Loss(_))
    }
}

/// Index of the largest value; the first of equals, as numpy's `argmax`. A NaN counts as the largest, as there.
pub fn arg_max(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate().skip(1) {
        if *value > values[best] || (value.is_nan() && !values[best].is_nan()) {
            best = index;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_is_largest() {
        assert_eq!(arg_max(&[1.0, 3.0, 3.0]), 1);
        assert_eq!(arg_max(&[2.0]), 0);
        assert_eq!(arg_max(&[f32::NEG_INFINITY; 3]), 0);
        assert_eq!(arg_max(&[1.0, f32::NAN, 3.0, f32::NAN]), 1);
    }

    #[test]
    fn accuracy_resolves_as_in_keras() {
        let kind = |loss: Loss, cols| Metric::accuracy().resolve(&loss, cols).kind;
        assert_eq!(kind(Loss::sparse_categorical_crossentropy(), 10), MetricKind::SparseCategoricalAccuracy);
        assert_eq!(kind(Loss::categorical_crossentropy(), 10), MetricKind::CategoricalAccuracy);
        assert_eq!(kind(Loss::binary_crossentropy(), 1), MetricKind::BinaryAccuracy { threshold: 0.5 });
        let resolved = Metric::accuracy().resolve(&Loss::categorical_crossentropy(), 10);
        assert_eq!(resolved.name(), "accuracy");
    }
}
