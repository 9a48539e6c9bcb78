//! Lion: w ← w − rate·sign(β₁·m + (1 − β₁)·g), m ← β₂·m + (1 − β₂)·g (keras/src/optimizers/lion.py).

use super::{Base, Formula, Slots, Step};
use crate::object::range;
use crate::{keras_object, optimizer_base};
use maobi_kernels::update;

keras_object! {
    /// Lion.
    pub struct Lion("lion") with base: Base = Base::new(0.001), {
        /// Share of the old mean in the direction; 0.9 by default. At 0 only the sign of the gradient would be left.
        beta_1: f64 where range::POSITIVE_SHARE = 0.9,
        /// Decay of the mean; 0.99 by default.
        beta_2: f64 where range::SHARE = 0.99,
    }
}
optimizer_base!(Lion);

impl Formula for Lion {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[&["momentum"]]
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], mut slots: Slots<'_>) {
        let (beta_1, beta_2) = (self.beta_1 as f32, self.beta_2 as f32);
        let parameters = update::Lion {
            lr: step.learning_rate,
            beta_1,
            one_minus_beta_1: 1.0 - beta_1,
            beta_2,
            one_minus_beta_2: 1.0 - beta_2,
        };
        update::lion(&parameters, w, g, slots.take("momentum"));
    }
}
