//! `Zeros`: all 0.

use super::InitializerFunction;
use crate::keras_object;

keras_object! {
    /// All 0.
    pub struct Zeros("zeros", "zero") {}
}

impl InitializerFunction for Zeros {
    fn fill(&self, _: &[usize], _: u64, out: &mut [f32]) {
        out.fill(0.0);
    }
}
