//! `L1L2`: l1·Σ|w| + l2·Σw².

use super::RegularizerFunction;
use crate::keras_object;
use crate::object::range;

keras_object! {
    /// l1·Σ|w| + l2·Σw².
    pub struct L1L2("l1l2") {
        /// Factor of the absolute values, at least 0; 0 by default.
        l1: f32 where range::NOT_NEGATIVE = 0.0,
        /// Factor of the squares, at least 0; 0 by default.
        l2: f32 where range::NOT_NEGATIVE = 0.0,
    }
}

impl RegularizerFunction for L1L2 {
    fn coefficients(&self) -> (f32, f32) {
        (self.l1, self.l2)
    }
}
