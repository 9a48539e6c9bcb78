//! `GlorotUniform`: Glorot's uniform distribution, Keras' default for kernels.

use super::variance_scaling::{Distribution, FanMode, fill_scaled};
use super::{InitializerFunction, Seed};
use crate::keras_object;

keras_object! {
    /// Uniform in ±√(6 / (fan_in + fan_out)).
    ///
    /// Glorot and Bengio 2010.
    pub struct GlorotUniform("glorot_uniform") {
        /// A seed of its own; the model's by default.
        seed: Seed = Seed(None),
    } accepted { input_axes: [], output_axes: [] }
}

impl InitializerFunction for GlorotUniform {
    fn fill(&self, shape: &[usize], seed: u64, out: &mut [f32]) {
        fill_scaled(&self.seed.stream(seed), shape, 1.0, FanMode::FanAvg, Distribution::Uniform, out);
    }
}
