//! Adadelta: a ← ρ·a + (1 − ρ)·g², δ = −√(d + ε)·g / √(a + ε), d ← ρ·d + (1 − ρ)·δ², w ← w + rate·δ
//! (keras/src/optimizers/adadelta.py).

use maobi_kernels::update;

use super::kind::{Formula, Slots, Step, check_positive, check_share};
use crate::object::ConfigError;

parameters! {
    /// Adadelta.
    Adadelta("adadelta", "0.001") {
        /// Decay of both mean squares; default 0.95.
        rho: f64 = 0.95,
        /// Added under the roots; default 1e-7.
        epsilon: f64 = 1e-7,
    }
}

impl Formula for Adadelta {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[&["accumulated_grad", "accumulated_delta_var"]]
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        let parameters = update::Adadelta {
            lr: step.learning_rate,
            rho: self.rho as f32,
            one_minus_rho: (1.0 - self.rho) as f32,
            epsilon: self.epsilon as f32,
        };
        update::adadelta(&parameters, w, g, slots.a, slots.b);
    }

    fn check(&self) -> Result<(), ConfigError> {
        check_share("Adadelta", "rho", self.rho)?;
        check_positive("Adadelta", "epsilon", self.epsilon)
    }
}
