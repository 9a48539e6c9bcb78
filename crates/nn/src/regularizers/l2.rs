//! `L2`: l2·Σw² (no half in front: the gradient is 2·l2·w).

use super::RegularizerFunction;
use crate::keras_object;
use crate::object::range;

keras_object! {
    /// l2·Σw² (no half in front: the gradient is 2·l2·w).
    pub struct L2("l2") {
        /// The factor, at least 0; 0.01 by default.
        l2: f32 where range::NOT_NEGATIVE = 0.01,
    }
}

impl RegularizerFunction for L2 {
    fn coefficients(&self) -> (f32, f32) {
        (0.0, self.l2)
    }
}
