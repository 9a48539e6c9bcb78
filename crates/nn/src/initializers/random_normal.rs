//! `RandomNormal`: a normal distribution.

use super::{InitializerFunction, Seed, scale_and_shift};
use crate::keras_object;
use crate::object::range;

keras_object! {
    /// Normal.
    pub struct RandomNormal("random_normal", "normal") {
        /// A seed of its own; the model's by default.
        seed: Seed = Seed(None),
        /// 0 by default.
        mean: f32 where range::FINITE = 0.0,
        /// The deviation, at least 0; 0.05 by default.
        stddev: f32 where range::NOT_NEGATIVE = 0.05,
    }
}

impl InitializerFunction for RandomNormal {
    fn fill(&self, _: &[usize], seed: u64, out: &mut [f32]) {
        self.seed.stream(seed).fill_normal(0, out);
        scale_and_shift(out, self.stddev, self.mean);
    }
}
