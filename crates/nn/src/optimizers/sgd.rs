//! Gradient descent: w ← w − rate·g; with momentum v ← m·v − rate·g, w ← w + v, and with Nesterov w ← w + m·v − rate·g
//! (keras/src/optimizers/sgd.py).

use super::{Base, Formula, Slots, Step};
use crate::object::range;
use crate::{keras_object, optimizer_base};
use maobi_kernels::update;

keras_object! {
    /// Gradient descent.
    pub struct SGD("SGD") with base: Base = Base::new(0.01), {
        /// Share of the last step that goes on, 0 to 1; 0 by default.
        momentum: f64 where range::SHARE = 0.0,
        /// Look ahead along the momentum; false by default.
        nesterov: bool = false,
    }
}
optimizer_base!(SGD);

impl Formula for SGD {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        if self.momentum == 0.0 { &[] } else { &[&["momentum"]] }
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], mut slots: Slots<'_>) {
        if self.momentum == 0.0 {
            update::sgd(step.learning_rate, w, g);
        } else {
            update::sgd_momentum(step.learning_rate, self.momentum as f32, self.nesterov, w, g, slots.take("momentum"));
        }
    }
}
