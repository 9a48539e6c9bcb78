//! `RandomUniform`: a uniform distribution.

use super::{InitializerFunction, Seed, scale_and_shift};
use crate::keras_object;
use crate::object::{ConfigError, Object, range};

keras_object! {
    /// Uniform in [minval, maxval).
    pub struct RandomUniform("random_uniform", "uniform") {
        /// A seed of its own; the model's by default.
        seed: Seed = Seed(None),
        /// −0.05 by default.
        minval: f32 where range::FINITE = -0.05,
        /// At least `minval`; 0.05 by default.
        maxval: f32 where range::FINITE = 0.05,
    }
}

impl InitializerFunction for RandomUniform {
    fn fill(&self, _: &[usize], seed: u64, out: &mut [f32]) {
        self.seed.stream(seed).fill_uniform(0, out);
        scale_and_shift(out, self.maxval - self.minval, self.minval);
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.check_arguments()?;
        if self.maxval < self.minval {
            return Err(ConfigError::bad_value(self.class_name(), "maxval", "a number, minval or more", self.maxval));
        }
        Ok(())
    }
}
