//! `Constant`: one value everywhere.

use super::InitializerFunction;
use crate::keras_object;
use crate::object::range;

keras_object! {
    /// All `value`.
    pub struct Constant("constant") new(
        /// The value; 0 where a configuration does not say.
        value: f32 where range::FINITE = 0.0,
    ) {}
}

impl InitializerFunction for Constant {
    fn fill(&self, _: &[usize], _: u64, out: &mut [f32]) {
        out.fill(self.value);
    }
}
