//! `CategoricalAccuracy`: whether the largest column is the target's largest (keras/src/metrics/accuracy_metrics.py).

use super::rows::hit;
use super::{MetricFunction, Rows};
use crate::keras_object;
use crate::losses::LossError;

keras_object! {
    /// Share of rows whose largest column is the target's largest.
    pub struct CategoricalAccuracy("categorical_accuracy") {}
}

impl MetricFunction for CategoricalAccuracy {
    fn add(&self, sums: &mut [f64], rows: &Rows<'_>) -> Result<(), LossError> {
        rows.add_mean(sums, |row| Ok(hit(rows.class(row), rows.prediction(row))))
    }
}
