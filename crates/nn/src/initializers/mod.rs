//! How weights start: Keras' initializers (keras/src/initializers), names, defaults and formulas.
//!
//! The numbers come from a counter generator, so they depend on the seed and the position alone, not on Keras' own generator:
//! the distributions agree with Keras, the draws do not.
//!
//! An initializer is a file here and a line in the list below; one of your own implements [`InitializerFunction`] and is registered
//! with [`Initializer::register`].

mod seed;
#[cfg(test)]
mod tests;

pub use seed::Seed;
pub use variance_scaling::{Distribution, FanMode, compute_fans};

use crate::object::{ConfigError, Object, handle, objects};
use std::sync::Arc;

objects! {
    /// All initializers.
    static INITIALIZERS: Registry<Arc<dyn InitializerFunction>> = ("initializer", "keras.initializers", Arc::new);
    zeros::Zeros,
    ones::Ones,
    constant::Constant,
    random_normal::RandomNormal,
    truncated_normal::TruncatedNormal,
    random_uniform::RandomUniform,
    variance_scaling::VarianceScaling,
    glorot_uniform::GlorotUniform,
    glorot_normal::GlorotNormal,
    he_uniform::HeUniform,
    he_normal::HeNormal,
    lecun_uniform::LecunUniform,
    lecun_normal::LecunNormal,
}

/// What an initializer does. Its arguments are declared by [`keras_object!`](crate::keras_object).
pub trait InitializerFunction: Object {
    /// Fills a weight of `shape`, row-major: `out` has its length. What is random depends on `seed` alone, the model's mixed with the
    /// weight's place, unless the initializer has a [`Seed`] of its own.
    fn fill(&self, shape: &[usize], seed: u64, out: &mut [f32]);

    /// Checks the arguments; their ranges, by default.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] for the first that is wrong.
    fn check(&self) -> Result<(), ConfigError> {
        self.check_arguments()
    }
}

handle! {
    /// The starting values of one weight, whichever they are.
    pub struct Initializer(dyn InitializerFunction) in INITIALIZERS, "an initializer"
}

impl Initializer {
    /// Fills a weight of the given shape, row-major.
    ///
    /// # Panics
    /// When `out` does not have the length of the shape.
    pub fn fill(&self, shape: &[usize], seed: u64, out: &mut [f32]) {
        assert_eq!(out.len(), shape.iter().product::<usize>(), "the values of a weight of shape {shape:?}");
        self.function().fill(shape, seed, out);
    }
}

/// out ← out·scale + shift.
fn scale_and_shift(out: &mut [f32], scale: f32, shift: f32) {
    for value in out {
        *value = *value * scale + shift;
    }
}
