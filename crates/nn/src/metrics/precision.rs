//! `Precision`: true positives over predicted positives (keras/src/metrics/confusion_metrics.py).

use super::counts::{Positives, Threshold, share};
use super::{MetricFunction, Rows};
use crate::keras_object;
use crate::losses::LossError;

keras_object! {
    /// True positives over predicted positives, over all columns or one.
    pub struct Precision("precision") {
        /// Values beyond it are positive, from 0 to 1; by default 0.5, or any value with `top_k`.
        thresholds: Option<Threshold> = None,
        /// Only the k largest columns of a row can be positive; all can by default.
        top_k: Option<usize> = None,
        /// Only this column counts; all do by default.
        class_id: Option<usize> = None,
    }
}

impl MetricFunction for Precision {
    fn sums(&self, _: usize) -> usize {
        3
    }

    fn add(&self, sums: &mut [f64], rows: &Rows<'_>) -> Result<(), LossError> {
        let positives = Positives { threshold: self.thresholds, top_k: self.top_k, class_id: self.class_id };
        positives.add(sums, rows)
    }

    fn result(&self, sums: &[f64]) -> f64 {
        share(sums[0], sums[1])
    }
}
