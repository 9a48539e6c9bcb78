//! `"accuracy"`: the accuracy that fits the loss (Keras' `get_metric` in keras/src/trainers/compile_utils.py).

use super::rows::{binary_hits, hit};
use super::{BinaryAccuracy, CategoricalAccuracy, Metric, MetricFunction, Rows, SparseCategoricalAccuracy};
use crate::keras_object;
use crate::losses::{Labels, Loss, LossError, Target};

keras_object! {
    /// "accuracy": becomes the accuracy that fits the loss when a model is compiled; by itself, what fits the target at hand.
    pub struct Accuracy("accuracy", "acc") {}
}

impl MetricFunction for Accuracy {
    fn labels(&self, rows: &Rows<'_>) -> Labels {
        match rows.target {
            Target::Values(values) if values.len() == rows.rows => Labels::Classes,
            _ => Labels::Values,
        }
    }

    fn for_loss(&self, loss: &Loss, cols: usize) -> Option<Metric> {
        Some(if cols == 1 {
            BinaryAccuracy::new().into()
        } else if loss.takes_classes() {
            SparseCategoricalAccuracy::new().into()
        } else {
            CategoricalAccuracy::new().into()
        })
    }

    fn is_word(&self) -> bool {
        true
    }

    fn add(&self, sums: &mut [f64], rows: &Rows<'_>) -> Result<(), LossError> {
        rows.add_mean(sums, |row| match rows.cols {
            1 => binary_hits(rows, row, 0.5),
            _ => Ok(hit(rows.class(row), rows.prediction(row))),
        })
    }
}
