//! Adamax: m ← m + (1 − β₁)(g − m), u ← max(β₂·u, |g|), w ← w − rate·m / ((1 − β₁ᵗ)(u + ε)) (keras/src/optimizers/adamax.py).

use super::formula::power;
use super::{Base, Formula, Slots, Step};
use crate::object::range;
use crate::{keras_object, optimizer_base};
use maobi_kernels::update;

keras_object! {
    /// Adam with the infinity norm.
    pub struct Adamax("adamax") with base: Base = Base::new(0.001), {
        /// Decay of the mean; 0.9 by default.
        beta_1: f64 where range::SHARE = 0.9,
        /// Decay of the largest gradient; 0.999 by default.
        beta_2: f64 where range::SHARE = 0.999,
        /// Added to the divisor; 1e-7 by default.
        epsilon: f64 where range::NOT_NEGATIVE = 1e-7,
    }
}
optimizer_base!(Adamax);

impl Formula for Adamax {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[&["momentum", "norm"]]
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], mut slots: Slots<'_>) {
        let parameters = update::Adamax {
            lr: step.learning_rate,
            one_minus_beta_1: (1.0 - self.beta_1) as f32,
            beta_2: self.beta_2 as f32,
            one_minus_beta_1_power: 1.0 - power(self.beta_1, step.number),
            epsilon: self.epsilon as f32,
        };
        update::adamax(&parameters, w, g, slots.take("momentum"), slots.take("norm"));
    }
}
