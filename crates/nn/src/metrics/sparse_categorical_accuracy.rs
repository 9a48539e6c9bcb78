//! `SparseCategoricalAccuracy`: whether the largest column is the class (keras/src/metrics/accuracy_metrics.py).

use super::rows::hit;
use super::{MetricFunction, Rows};
use crate::keras_object;
use crate::losses::{Labels, LossError};

keras_object! {
    /// Share of rows whose largest column is the class.
    pub struct SparseCategoricalAccuracy("sparse_categorical_accuracy") {}
}

impl MetricFunction for SparseCategoricalAccuracy {
    fn labels(&self, _: &Rows<'_>) -> Labels {
        Labels::Classes
    }

    fn add(&self, sums: &mut [f64], rows: &Rows<'_>) -> Result<(), LossError> {
        rows.add_mean(sums, |row| Ok(hit(rows.label(row), rows.prediction(row))))
    }
}
