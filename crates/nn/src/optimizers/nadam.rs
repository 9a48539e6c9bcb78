//! Nadam: Adam that looks ahead along its mean, with a momentum schedule μₜ = β₁·(1 − 0.96ᵗ / 2) whose running product is part of
//! the state (keras/src/optimizers/nadam.py).

use super::formula::power;
use super::{Base, Formula, Slots, Step};
use crate::object::range;
use crate::{keras_object, optimizer_base};
use maobi_kernels::update;

keras_object! {
    /// Adam with Nesterov momentum.
    pub struct Nadam("nadam") with base: Base = Base::new(0.001), {
        /// Decay of the mean; 0.9 by default.
        beta_1: f64 where range::SHARE = 0.9,
        /// Decay of the mean square; 0.999 by default.
        beta_2: f64 where range::SHARE = 0.999,
        /// Added to the divisor; 1e-7 by default.
        epsilon: f64 where range::NOT_NEGATIVE = 1e-7,
    }
}
optimizer_base!(Nadam);

impl Nadam {
    /// The momentum of step `number`, from 1.
    fn momentum_at(&self, number: u64) -> f32 {
        self.beta_1 as f32 * (1.0 - 0.5 * power(0.96, number))
    }
}

impl Formula for Nadam {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[&["momentum", "velocity"]]
    }

    fn factor(&self, number: u64) -> Option<f32> {
        Some(self.momentum_at(number))
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], mut slots: Slots<'_>) {
        let (now, next) = (self.momentum_at(step.number), self.momentum_at(step.number + 1));
        let parameters = update::Nadam {
            lr: step.learning_rate,
            // Keras casts the betas first here, so 1 − β is taken in f32, unlike in Adam.
            one_minus_beta_1: 1.0 - self.beta_1 as f32,
            one_minus_beta_2: 1.0 - self.beta_2 as f32,
            one_minus_u: 1.0 - now,
            u_next: next,
            one_minus_u_product: 1.0 - step.product,
            one_minus_u_product_next: 1.0 - step.product * next,
            one_minus_beta_2_power: 1.0 - power(self.beta_2, step.number),
            epsilon: self.epsilon as f32,
        };
        update::nadam(&parameters, w, g, slots.take("momentum"), slots.take("velocity"));
    }
}
