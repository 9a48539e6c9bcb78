//! `MeanSquaredError`: the mean over columns of (p − t)² (keras/src/losses/losses.py).

use super::mean::mean_over_columns;
use super::{LossFunction, Row};
use crate::keras_object;

keras_object! {
    /// Mean over columns of (p − t)².
    pub struct MeanSquaredError("mean_squared_error", "mse") {}
}

impl LossFunction for MeanSquaredError {
    fn row(&self, row: Row<'_>) -> f32 {
        mean_over_columns(row, |e| e * e, |e| 2.0 * e)
    }
}
