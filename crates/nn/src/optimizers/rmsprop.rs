//! RMSprop: v ← ρ·v + (1 − ρ)·g², w ← w − rate·g / √(v + ε); centred, the square of the mean gradient comes off v; with momentum,
//! the steps are summed (keras/src/optimizers/rmsprop.py).

use maobi_kernels::update;

use super::kind::{Formula, Slots, Step, check_positive, check_share};
use crate::object::ConfigError;

parameters! {
    /// RMSprop.
    RmsProp("rmsprop", "0.001") {
        /// Decay of the mean square; default 0.9.
        rho: f64 = 0.9,
        /// Share of the last step that goes on; default 0.
        momentum: f64 = 0.0,
        /// Added under the root; default 1e-7.
        epsilon: f64 = 1e-7,
        /// Divide by the deviation rather than the mean square's root.
        centered: bool = false,
    }
}

impl Formula for RmsProp {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        match (self.momentum > 0.0, self.centered) {
            (false, false) => &[&["velocity"]],
            (true, false) => &[&["velocity"], &["momentum"]],
            (false, true) => &[&["velocity"], &["average_gradient"]],
            (true, true) => &[&["velocity"], &["momentum"], &["average_gradient"]],
        }
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        let parameters = update::RmsProp {
            lr: step.learning_rate,
            rho: self.rho as f32,
            one_minus_rho: (1.0 - self.rho) as f32,
            momentum: self.momentum as f32,
            epsilon: self.epsilon as f32,
        };
        let (momentum, average) = match (self.momentum > 0.0, self.centered) {
            (false, false) => (None, None),
            (true, false) => (Some(slots.b), None),
            (false, true) => (None, Some(slots.b)),
            (true, true) => (Some(slots.b), Some(slots.c)),
        };
        update::rmsprop(&parameters, w, g, slots.a, momentum, average);
    }

    fn check(&self) -> Result<(), ConfigError> {
        check_share("RMSprop", "rho", self.rho)?;
        check_share("RMSprop", "momentum", self.momentum)?;
        check_positive("RMSprop", "epsilon", self.epsilon)
    }
}
