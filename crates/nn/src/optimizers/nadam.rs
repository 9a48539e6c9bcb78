//! Nadam: Adam that looks ahead along its mean, with a momentum schedule μₜ = β₁·(1 − 0.96ᵗ / 2) whose running product is part of
//! the state (keras/src/optimizers/nadam.py).

use maobi_kernels::update;

use super::kind::{Formula, Slots, Step, check_adam, power};
use crate::object::ConfigError;

parameters! {
    /// Nadam.
    Nadam("nadam", "0.001") {
        /// Decay of the mean; default 0.9.
        beta_1: f64 = 0.9,
        /// Decay of the mean square; default 0.999.
        beta_2: f64 = 0.999,
        /// Added to the divisor; default 1e-7.
        epsilon: f64 = 1e-7,
    }
}

impl Nadam {
    /// The momentum of step `number`, from 1.
    pub(super) fn momentum_at(&self, number: u64) -> f32 {
        self.beta_1 as f32 * (1.0 - 0.5 * power(0.96, number))
    }
}

impl Formula for Nadam {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[&["momentum", "velocity"]]
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        let (now, next) = (self.momentum_at(step.number), self.momentum_at(step.number + 1));
        let parameters = update::Nadam {
            lr: step.learning_rate,
            // Keras casts the betas first here, so 1 − β is taken in f32, unlike in Adam.
            one_minus_beta_1: 1.0 - self.beta_1 as f32,
            one_minus_beta_2: 1.0 - self.beta_2 as f32,
            one_minus_u: 1.0 - now,
            u_next: next,
            one_minus_u_product: 1.0 - step.u_product,
            one_minus_u_product_next: 1.0 - step.u_product * next,
            one_minus_beta_2_power: 1.0 - power(self.beta_2, step.number),
            epsilon: self.epsilon as f32,
        };
        update::nadam(&parameters, w, g, slots.a, slots.b);
    }

    fn check(&self) -> Result<(), ConfigError> {
        check_adam("Nadam", self.beta_1, self.beta_2, self.epsilon)
    }
}
