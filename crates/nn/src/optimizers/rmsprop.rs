//! RMSprop: v ← ρ·v + (1 − ρ)·g², w ← w − rate·g / √(v + ε); centered, the square of the mean gradient comes off v; with momentum,
//! the steps are summed (keras/src/optimizers/rmsprop.py).

use super::{Base, Formula, Slots, Step};
use crate::object::range;
use crate::{keras_object, optimizer_base};
use maobi_kernels::update;

keras_object! {
    /// RMSprop.
    pub struct RMSprop("rmsprop") with base: Base = Base::new(0.001), {
        /// Decay of the mean square; 0.9 by default.
        rho: f64 where range::SHARE = 0.9,
        /// Share of the last step that goes on; 0 by default.
        momentum: f64 where range::SHARE = 0.0,
        /// Added under the root; 1e-7 by default.
        epsilon: f64 where range::NOT_NEGATIVE = 1e-7,
        /// Divide by the deviation rather than the root of the mean square; false by default.
        centered: bool = false,
    }
}
optimizer_base!(RMSprop);

impl Formula for RMSprop {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        match (self.momentum > 0.0, self.centered) {
            (false, false) => &[&["velocity"]],
            (true, false) => &[&["velocity"], &["momentum"]],
            (false, true) => &[&["velocity"], &["average_gradient"]],
            (true, true) => &[&["velocity"], &["momentum"], &["average_gradient"]],
        }
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], mut slots: Slots<'_>) {
        let parameters = update::RMSprop {
            lr: step.learning_rate,
            rho: self.rho as f32,
            one_minus_rho: (1.0 - self.rho) as f32,
            momentum: self.momentum as f32,
            epsilon: self.epsilon as f32,
        };
        let momentum = (self.momentum > 0.0).then(|| slots.take("momentum"));
        let average = self.centered.then(|| slots.take("average_gradient"));
        update::rmsprop(&parameters, w, g, slots.take("velocity"), momentum, average);
    }
}
