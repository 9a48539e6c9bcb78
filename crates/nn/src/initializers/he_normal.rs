//! `HeNormal`: He's normal distribution.

use super::variance_scaling::{Distribution, FanMode, fill_scaled};
use super::{InitializerFunction, Seed};
use crate::keras_object;

keras_object! {
    /// Truncated normal of variance 2 / fan_in.
    ///
    /// He and others 2015.
    pub struct HeNormal("he_normal") {
        /// A seed of its own; the model's by default.
        seed: Seed = Seed(None),
    } accepted { input_axes: [], output_axes: [] }
}

impl InitializerFunction for HeNormal {
    fn fill(&self, shape: &[usize], seed: u64, out: &mut [f32]) {
        fill_scaled(&self.seed.stream(seed), shape, 2.0, FanMode::FanIn, Distribution::TruncatedNormal, out);
    }
}
