//! Adam: m ← m + (1 − β₁)(g − m), v ← v + (1 − β₂)(g² − v), w ← w − α·m / (√v + ε) with α = rate·√(1 − β₂ᵗ) / (1 − β₁ᵗ)
//! (keras/src/optimizers/adam.py).

use super::formula::power;
use super::{Base, Formula, Slots, Step};
use crate::object::range;
use crate::{keras_object, optimizer_base};
use maobi_kernels::update;

keras_object! {
    /// Adam.
    pub struct Adam("adam") with base: Base = Base::new(0.001), {
        /// Decay of the mean; 0.9 by default.
        beta_1: f64 where range::SHARE = 0.9,
        /// Decay of the mean square; 0.999 by default.
        beta_2: f64 where range::SHARE = 0.999,
        /// Added to the root, outside its bias correction; 1e-7 by default.
        epsilon: f64 where range::NOT_NEGATIVE = 1e-7,
        /// Divide by the root of the largest mean square so far; false by default.
        amsgrad: bool = false,
    }
}
optimizer_base!(Adam);

impl Formula for Adam {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        slots(self.amsgrad)
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        Moments { beta_1: self.beta_1, beta_2: self.beta_2, epsilon: self.epsilon, amsgrad: self.amsgrad }
            .update(step, w, g, slots);
    }
}

/// The slots of Adam and AdamW.
pub(super) fn slots(amsgrad: bool) -> &'static [&'static [&'static str]] {
    if amsgrad { &[&["momentum", "velocity"], &["velocity_hat"]] } else { &[&["momentum", "velocity"]] }
}

/// Adam's arguments; AdamW has the same.
pub(super) struct Moments {
    pub(super) beta_1: f64,
    pub(super) beta_2: f64,
    pub(super) epsilon: f64,
    pub(super) amsgrad: bool,
}

impl Moments {
    pub(super) fn update(&self, step: Step, w: &mut [f32], g: &[f32], mut slots: Slots<'_>) {
        let root = (1.0 - power(self.beta_2, step.number)).sqrt();
        let parameters = update::Adam {
            alpha: step.learning_rate * root / (1.0 - power(self.beta_1, step.number)),
            one_minus_beta_1: (1.0 - self.beta_1) as f32,
            one_minus_beta_2: (1.0 - self.beta_2) as f32,
            epsilon: self.epsilon as f32,
        };
        let (m, v) = (slots.take("momentum"), slots.take("velocity"));
        if self.amsgrad {
            update::adam_amsgrad(&parameters, w, g, m, v, slots.take("velocity_hat"));
        } else {
            update::adam(&parameters, w, g, m, v);
        }
    }
}
