//! Gradient descent: w ← w − rate·g; with momentum v ← m·v − rate·g, w ← w + v, and with Nesterov w ← w + m·v − rate·g
//! (keras/src/optimizers/sgd.py).

use maobi_kernels::update;

use super::kind::{Formula, Slots, Step, check_share};
use crate::object::ConfigError;

parameters! {
    /// Gradient descent.
    Sgd("SGD", "0.01") {
        /// Share of the last step that goes on, 0 to 1; default 0.
        momentum: f64 = 0.0,
        /// Look ahead along the momentum.
        nesterov: bool = false,
    }
}

impl Formula for Sgd {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        if self.momentum == 0.0 { &[] } else { &[&["momentum"]] }
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        let (rate, momentum) = (step.learning_rate, self.momentum as f32);
        if self.momentum == 0.0 {
            update::sgd(rate, w, g);
        } else {
            update::sgd_momentum(rate, momentum, self.nesterov, w, g, slots.a);
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        check_share("SGD", "momentum", self.momentum)
    }
}
