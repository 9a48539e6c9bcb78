//! `MaxNorm`: norms up to a bound.

use super::{ConstraintFunction, EPSILON, NormAxes};
use crate::keras_object;
use crate::object::range;

keras_object! {
    /// w · min(‖w‖, max_value) / (‖w‖ + 1e-7), the norms along `axis`.
    pub struct MaxNorm("max_norm") {
        /// The largest norm, at least 0; 2 by default.
        max_value: f32 where range::NOT_NEGATIVE = 2.0,
        /// The axes of a norm; 0 by default: a norm for each unit of a Dense layer. `[0, 1, 2]` for each filter of a Conv2D layer.
        axis: NormAxes = NormAxes::from(0),
    }
}

impl ConstraintFunction for MaxNorm {
    fn project(&self, shape: &[usize], w: &mut [f32]) {
        self.axis.scale(shape, w, |norm| norm.min(self.max_value) / (EPSILON + norm));
    }

    fn check_shape(&self, shape: &[usize]) -> Result<(), String> {
        self.axis.check("MaxNorm", shape)
    }
}
