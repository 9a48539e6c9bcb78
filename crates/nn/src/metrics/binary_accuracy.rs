//! `BinaryAccuracy`: which values are on the target's side of a threshold (keras/src/metrics/accuracy_metrics.py).

use super::rows::binary_hits;
use super::{MetricFunction, Rows};
use crate::keras_object;
use crate::losses::LossError;

keras_object! {
    /// Share of values on the target's side of the threshold.
    pub struct BinaryAccuracy("binary_accuracy") {
        /// Values beyond it are 1; 0.5 by default.
        threshold: f32 = 0.5,
    }
}

impl MetricFunction for BinaryAccuracy {
    fn add(&self, sums: &mut [f64], rows: &Rows<'_>) -> Result<(), LossError> {
        rows.add_mean(sums, |row| binary_hits(rows, row, self.threshold))
    }
}
