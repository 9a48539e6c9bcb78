//! `TruncatedNormal`: a normal distribution without its tails.

use super::{InitializerFunction, Seed, scale_and_shift};
use crate::keras_object;
use crate::object::range;

keras_object! {
    /// Normal, drawn anew beyond two deviations. Not rescaled: the deviation that remains is 0.88·stddev.
    pub struct TruncatedNormal("truncated_normal") {
        /// A seed of its own; the model's by default.
        seed: Seed = Seed(None),
        /// 0 by default.
        mean: f32 where range::FINITE = 0.0,
        /// The deviation before the cut, at least 0; 0.05 by default.
        stddev: f32 where range::NOT_NEGATIVE = 0.05,
    }
}

impl InitializerFunction for TruncatedNormal {
    fn fill(&self, _: &[usize], seed: u64, out: &mut [f32]) {
        self.seed.stream(seed).fill_truncated_normal(0, out);
        scale_and_shift(out, self.stddev, self.mean);
    }
}
