//! Adagrad: a ← a + g², w ← w − rate·g / √(a + ε) (keras/src/optimizers/adagrad.py).

use super::{Base, Formula, Slots, Step};
use crate::object::range;
use crate::{keras_object, optimizer_base};
use maobi_kernels::update;

keras_object! {
    /// Adagrad.
    pub struct Adagrad("adagrad") with base: Base = Base::new(0.001), {
        /// Where the sums of squares start; 0.1 by default.
        initial_accumulator_value: f64 where range::NOT_NEGATIVE = 0.1,
        /// Added under the root; 1e-7 by default.
        epsilon: f64 where range::NOT_NEGATIVE = 1e-7,
    }
}
optimizer_base!(Adagrad);

impl Formula for Adagrad {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[&["accumulator"]]
    }

    fn initial(&self, _: &str) -> f32 {
        self.initial_accumulator_value as f32
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], mut slots: Slots<'_>) {
        let parameters = update::Adagrad { lr: step.learning_rate, epsilon: self.epsilon as f32 };
        update::adagrad(&parameters, w, g, slots.take("accumulator"));
    }
}
