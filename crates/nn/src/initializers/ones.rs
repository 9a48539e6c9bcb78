//! `Ones`: all 1.

use super::InitializerFunction;
use crate::keras_object;

keras_object! {
    /// All 1.
    pub struct Ones("ones", "one") {}
}

impl InitializerFunction for Ones {
    fn fill(&self, _: &[usize], _: u64, out: &mut [f32]) {
        out.fill(1.0);
    }
}
