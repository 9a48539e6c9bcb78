//! `UnitNorm`: norms of 1.

use super::{ConstraintFunction, EPSILON, NormAxes};
use crate::keras_object;

keras_object! {
    /// w / (‖w‖ + 1e-7), the norms along `axis`.
    pub struct UnitNorm("unit_norm") {
        /// The axes of a norm; 0 by default: a norm for each unit of a Dense layer. `[0, 1, 2]` for each filter of a Conv2D layer.
        axis: NormAxes = NormAxes::from(0),
    }
}

impl ConstraintFunction for UnitNorm {
    fn project(&self, shape: &[usize], w: &mut [f32]) {
        self.axis.scale(shape, w, |norm| 1.0 / (EPSILON + norm));
    }

    fn check_shape(&self, shape: &[usize]) -> Result<(), String> {
        self.axis.check("UnitNorm", shape)
    }
}
