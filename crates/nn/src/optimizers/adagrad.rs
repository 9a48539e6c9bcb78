//! Adagrad: a ← a + g², w ← w − rate·g / √(a + ε) (keras/src/optimizers/adagrad.py).

use maobi_kernels::update;

use super::kind::{Formula, Slots, Step, check_positive};
use crate::object::ConfigError;

parameters! {
    /// Adagrad.
    Adagrad("adagrad", "0.001") {
        /// Where the sums of squares start; default 0.1.
        initial_accumulator_value: f64 = 0.1,
        /// Added under the root; default 1e-7.
        epsilon: f64 = 1e-7,
    }
}

impl Formula for Adagrad {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[&["accumulator"]]
    }

    fn initial_slot(&self) -> f32 {
        self.initial_accumulator_value as f32
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        let parameters = update::Adagrad { lr: step.learning_rate, epsilon: self.epsilon as f32 };
        update::adagrad(&parameters, w, g, slots.a);
    }

    fn check(&self) -> Result<(), ConfigError> {
        check_positive("Adagrad", "initial_accumulator_value", self.initial_accumulator_value)?;
        check_positive("Adagrad", "epsilon", self.epsilon)
    }
}
