//! Adamax: m ← m + (1 − β₁)(g − m), u ← max(β₂·u, |g|), w ← w − rate·m / ((1 − β₁ᵗ)(u + ε)) (keras/src/optimizers/adamax.py).

use maobi_kernels::update;

use super::kind::{Formula, Slots, Step, check_adam, power};
use crate::object::ConfigError;

parameters! {
    /// Adamax.
    Adamax("adamax", "0.001") {
        /// Decay of the mean; default 0.9.
        beta_1: f64 = 0.9,
        /// Decay of the largest gradient; default 0.999.
        beta_2: f64 = 0.999,
        /// Added to the divisor; default 1e-7.
        epsilon: f64 = 1e-7,
    }
}

impl Formula for Adamax {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[&["momentum", "norm"]]
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        let parameters = update::Adamax {
            lr: step.learning_rate,
            one_minus_beta_1: (1.0 - self.beta_1) as f32,
            beta_2: self.beta_2 as f32,
            one_minus_beta_1_power: 1.0 - power(self.beta_1, step.number),
            epsilon: self.epsilon as f32,
        };
        update::adamax(&parameters, w, g, slots.a, slots.b);
    }

    fn check(&self) -> Result<(), ConfigError> {
        check_adam("Adamax", self.beta_1, self.beta_2, self.epsilon)
    }
}
