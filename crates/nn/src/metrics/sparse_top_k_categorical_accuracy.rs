//! `SparseTopKCategoricalAccuracy`: whether the class is among the k largest columns (keras/src/metrics/accuracy_metrics.py).

use super::rows::in_top_k;
use super::{MetricFunction, Rows};
use crate::keras_object;
use crate::losses::{Labels, LossError};

keras_object! {
    /// Share of rows whose class is among the k largest columns; ties at the edge count as among them.
    pub struct SparseTopKCategoricalAccuracy("sparse_top_k_categorical_accuracy") {
        /// k, 5 by default.
        k: usize = 5,
    } accepted { from_sorted_ids: [false] }
}

impl MetricFunction for SparseTopKCategoricalAccuracy {
    fn labels(&self, _: &Rows<'_>) -> Labels {
        Labels::Classes
    }

    fn add(&self, sums: &mut [f64], rows: &Rows<'_>) -> Result<(), LossError> {
        rows.add_mean(sums, |row| Ok(in_top_k(rows.label(row), rows.prediction(row), self.k)))
    }
}
