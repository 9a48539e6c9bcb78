//! `LogCosh`: the logarithm of the hyperbolic cosine of the error (keras/src/losses/losses.py).

use super::mean::mean_over_columns;
use super::{LossFunction, Row};
use crate::keras_object;

keras_object! {
    /// Mean over columns of ln cosh(p − t): near e²/2 for small errors, |e| − ln 2 for large ones.
    pub struct LogCosh("log_cosh", "logcosh") {}
}

impl LossFunction for LogCosh {
    fn metric(&self) -> Option<(&'static str, &'static str)> {
        Some(("LogCoshError", "logcosh"))
    }

    fn row(&self, row: Row<'_>) -> f32 {
        // |e| + ln(1 + e^−2|e|) − ln 2, which does not overflow.
        let value = |e: f32| e.abs() + (-2.0 * e.abs()).exp().ln_1p() - std::f32::consts::LN_2;
        mean_over_columns(row, value, f32::tanh)
    }
}
