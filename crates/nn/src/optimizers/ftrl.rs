//! FTRL, "follow the regularized leader": n′ ← n + g², z ← z + g + 2·s·w − (n′^p − n^p) / rate · w,
//! w ← (clip(z, −l1, l1) − z) / (n′^p / rate + 2·l2 + β / rate) with p = −`learning_rate_power` and the shrinkage s
//! (McMahan et al. 2013; keras/src/optimizers/ftrl.py).

use super::{Base, Formula, Slots, Step};
use crate::object::range::{self, Range};
use crate::{keras_object, optimizer_base};
use maobi_kernels::update;

const NOT_POSITIVE: Range = Range { expected: "a number, 0 or less", holds: |x| x.is_finite() && x <= 0.0 };

keras_object! {
    /// Follow the regularized leader: for shallow models of many inputs, most of them 0.
    pub struct Ftrl("ftrl") with base: Base = Base::new(0.001), {
        /// How the step size falls; 0 keeps it. −0.5 by default.
        learning_rate_power: f64 where NOT_POSITIVE = -0.5,
        /// Where the sums of squares start; 0.1 by default.
        initial_accumulator_value: f64 where range::NOT_NEGATIVE = 0.1,
        /// Weights whose sum of gradients stays below it are 0; 0 by default.
        l1_regularization_strength: f64 where range::NOT_NEGATIVE = 0.0,
        /// Pulls weights toward 0; 0 by default.
        l2_regularization_strength: f64 where range::NOT_NEGATIVE = 0.0,
        /// The same as a penalty of the loss; 0 by default.
        l2_shrinkage_regularization_strength: f64 where range::NOT_NEGATIVE = 0.0,
        /// The paper's β, which makes first steps smaller; 0 by default.
        beta: f64 = 0.0,
    }
}
optimizer_base!(Ftrl);

impl Formula for Ftrl {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[&["accumulator", "linear"]]
    }

    fn initial(&self, slot: &str) -> f32 {
        if slot == "accumulator" { self.initial_accumulator_value as f32 } else { 0.0 }
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], mut slots: Slots<'_>) {
        let parameters = update::Ftrl {
            lr: step.learning_rate,
            power: -self.learning_rate_power as f32,
            l1: self.l1_regularization_strength as f32,
            twice_l2: 2.0 * (self.l2_regularization_strength as f32 + self.beta as f32 / (2.0 * step.learning_rate)),
            twice_shrinkage: (2.0 * self.l2_shrinkage_regularization_strength) as f32,
        };
        update::ftrl(&parameters, w, g, slots.take("accumulator"), slots.take("linear"));
    }
}
