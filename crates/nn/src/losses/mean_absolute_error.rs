//! `MeanAbsoluteError`: the mean over columns of |p − t| (keras/src/losses/losses.py).

use super::mean::mean_over_columns;
use super::{LossFunction, Row};
use crate::keras_object;
use crate::regularizers::sign;

keras_object! {
    /// Mean over columns of |p − t|; no slope at 0.
    pub struct MeanAbsoluteError("mean_absolute_error", "mae") {}
}

impl LossFunction for MeanAbsoluteError {
    fn row(&self, row: Row<'_>) -> f32 {
        mean_over_columns(row, f32::abs, sign)
    }
}
