//! `HeUniform`: He's uniform distribution.

use super::variance_scaling::{Distribution, FanMode, fill_scaled};
use super::{InitializerFunction, Seed};
use crate::keras_object;

keras_object! {
    /// Uniform in ±√(6 / fan_in).
    ///
    /// He and others 2015.
    pub struct HeUniform("he_uniform") {
        /// A seed of its own; the model's by default.
        seed: Seed = Seed(None),
    } accepted { input_axes: [], output_axes: [] }
}

impl InitializerFunction for HeUniform {
    fn fill(&self, shape: &[usize], seed: u64, out: &mut [f32]) {
        fill_scaled(&self.seed.stream(seed), shape, 2.0, FanMode::FanIn, Distribution::Uniform, out);
    }
}
