//! `MinMaxNorm`: norms between two bounds.

use super::{ConstraintFunction, EPSILON, NormAxes};
use crate::keras_object;
use crate::object::range;

keras_object! {
    /// w · (rate · clip(‖w‖, min_value, max_value) + (1 − rate) · ‖w‖) / (‖w‖ + 1e-7), the norms along `axis`.
    pub struct MinMaxNorm("min_max_norm") {
        /// The smallest norm, at least 0; 0 by default.
        min_value: f32 where range::NOT_NEGATIVE = 0.0,
        /// The largest norm, at least 0; 1 by default.
        max_value: f32 where range::NOT_NEGATIVE = 1.0,
        /// The share of the way to an allowed norm that each step goes; 1 by default.
        rate: f32 = 1.0,
        /// The axes of a norm; 0 by default: a norm for each unit of a Dense layer. `[0, 1, 2]` for each filter of a Conv2D layer.
        axis: NormAxes = NormAxes::from(0),
    }
}

impl ConstraintFunction for MinMaxNorm {
    fn project(&self, shape: &[usize], w: &mut [f32]) {
        // As Keras, which allows bounds that are the wrong way round: the upper one wins.
        let allowed = |norm: f32| norm.max(self.min_value).min(self.max_value);
        let factor = |norm: f32| (self.rate * allowed(norm) + (1.0 - self.rate) * norm) / (EPSILON + norm);
        self.axis.scale(shape, w, factor);
    }

    fn check_shape(&self, shape: &[usize]) -> Result<(), String> {
        self.axis.check("MinMaxNorm", shape)
    }
}
