//! Adadelta: a ← ρ·a + (1 − ρ)·g², δ = −√(d + ε)·g / √(a + ε), d ← ρ·d + (1 − ρ)·δ², w ← w + rate·δ
//! (keras/src/optimizers/adadelta.py).

use super::{Base, Formula, Slots, Step};
use crate::object::range;
use crate::{keras_object, optimizer_base};
use maobi_kernels::update;

keras_object! {
    /// Adadelta.
    pub struct Adadelta("adadelta") with base: Base = Base::new(0.001), {
        /// Decay of both mean squares; 0.95 by default.
        rho: f64 where range::SHARE = 0.95,
        /// Added under the roots; 1e-7 by default.
        epsilon: f64 where range::NOT_NEGATIVE = 1e-7,
    }
}
optimizer_base!(Adadelta);

impl Formula for Adadelta {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[&["accumulated_grad", "accumulated_delta_var"]]
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], mut slots: Slots<'_>) {
        let parameters = update::Adadelta {
            lr: step.learning_rate,
            rho: self.rho as f32,
            one_minus_rho: (1.0 - self.rho) as f32,
            epsilon: self.epsilon as f32,
        };
        update::adadelta(&parameters, w, g, slots.take("accumulated_grad"), slots.take("accumulated_delta_var"));
    }
}
