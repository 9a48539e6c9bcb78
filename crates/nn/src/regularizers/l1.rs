//! `L1`: l1·Σ|w|.

use super::RegularizerFunction;
use crate::keras_object;
use crate::object::range;

keras_object! {
    /// l1·Σ|w|.
    pub struct L1("l1") {
        /// The factor, at least 0; 0.01 by default.
        l1: f32 where range::NOT_NEGATIVE = 0.01,
    }
}

impl RegularizerFunction for L1 {
    fn coefficients(&self) -> (f32, f32) {
        (self.l1, 0.0)
    }
}
