//! `Huber`: a parabola near 0, straight beyond (keras/src/losses/losses.py).

use super::mean::mean_over_columns;
use super::{LossFunction, Row};
use crate::keras_object;
use crate::object::range;
use crate::regularizers::sign;

keras_object! {
    /// Mean over columns of e²/2 where |e| ≤ δ, else δ·|e| − δ²/2, with e = p − t.
    pub struct Huber("huber_loss") {
        /// δ, a positive number; 1 by default.
        delta: f32 where range::POSITIVE = 1.0,
    }
}

impl LossFunction for Huber {
    fn metric(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    fn row(&self, row: Row<'_>) -> f32 {
        let delta = self.delta;
        let value = |e: f32| if e.abs() <= delta { 0.5 * e * e } else { delta * e.abs() - 0.5 * delta * delta };
        let slope = |e: f32| if e.abs() <= delta { e } else { delta * sign(e) };
        mean_over_columns(row, value, slope)
    }
}
