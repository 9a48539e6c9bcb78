//! `TopKCategoricalAccuracy`: whether the target's largest column is among the k largest (keras/src/metrics/accuracy_metrics.py).

use super::rows::in_top_k;
use super::{MetricFunction, Rows};
use crate::keras_object;
use crate::losses::LossError;

keras_object! {
    /// Share of rows whose target's largest column is among the k largest; ties at the edge count as among them.
    pub struct TopKCategoricalAccuracy("top_k_categorical_accuracy") {
        /// k, 5 by default.
        k: usize = 5,
    }
}

impl MetricFunction for TopKCategoricalAccuracy {
    fn add(&self, sums: &mut [f64], rows: &Rows<'_>) -> Result<(), LossError> {
        rows.add_mean(sums, |row| Ok(in_top_k(rows.class(row), rows.prediction(row), self.k)))
    }
}
