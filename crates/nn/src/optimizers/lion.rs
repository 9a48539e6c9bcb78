//! Lion: w ← w − rate·sign(β₁·m + (1 − β₁)·g), m ← β₂·m + (1 − β₂)·g (keras/src/optimizers/lion.py).

use maobi_kernels::update;

use super::kind::{Formula, Slots, Step, check_share};
use crate::object::ConfigError;

parameters! {
    /// Lion.
    Lion("lion", "0.001") {
        /// Share of the old mean in the direction; default 0.9.
        beta_1: f64 = 0.9,
        /// Decay of the mean; default 0.99.
        beta_2: f64 = 0.99,
    }
}

impl Formula for Lion {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[&["momentum"]]
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        let (beta_1, beta_2) = (self.beta_1 as f32, self.beta_2 as f32);
        let parameters = update::Lion {
            lr: step.learning_rate,
            beta_1,
            one_minus_beta_1: 1.0 - beta_1,
            beta_2,
            one_minus_beta_2: 1.0 - beta_2,
        };
        update::lion(&parameters, w, g, slots.a);
    }

    fn check(&self) -> Result<(), ConfigError> {
        if !(self.beta_1 > 0.0 && self.beta_1 <= 1.0) {
            // At 0 only the sign of the gradient would be left.
            return Err(ConfigError::bad_value("Lion", "beta_1", "above 0 and at most 1", self.beta_1));
        }
        check_share("Lion", "beta_2", self.beta_2)
    }
}
