//! Gradient descent: w ← w − rate·g; with momentum v ← m·v − rate·g, w ← w + v, and with Nesterov w ← w + m·v − rate·g
//! (keras/src/optimizers/sgd.py).

use maobi_kernels::update;
use serde_json::{Map, Value};

use super::kind::{Formula, Slots, Step, check_share};
use super::{LearningRate, Optimizer};
use crate::serial::{ConfigError, Fields};

/// Gradient descent.
#[derive(Clone, Debug, PartialEq)]
pub struct Sgd {
    /// Share of the last step that goes on, 0 to 1; default 0.
    pub momentum: f64,
    /// Look ahead along the momentum.
    pub nesterov: bool,
}

impl Default for Sgd {
    fn default() -> Sgd {
        Sgd { momentum: 0.0, nesterov: false }
    }
}

impl Sgd {
    /// Gradient descent with a step size (a number or a schedule); Keras' default is 0.01.
    #[allow(clippy::new_ret_no_self)] // the optimiser is what a user wants of it
    pub fn new(learning_rate: impl Into<LearningRate>) -> Optimizer<Sgd> {
        Optimizer::base(Sgd::default(), learning_rate.into(), "SGD")
    }
}

impl Optimizer<Sgd> {
    /// Sets the momentum.
    pub fn momentum(mut self, value: f64) -> Self {
        self.kind.momentum = value;
        self
    }

    /// Sets Nesterov's way.
    pub fn nesterov(mut self, value: bool) -> Self {
        self.kind.nesterov = value;
        self
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

    fn read(fields: &mut Fields) -> Result<Sgd, ConfigError> {
        Ok(Sgd { momentum: fields.f64_or("momentum", 0.0)?, nesterov: fields.bool_or("nesterov", false)? })
    }

    fn write(&self, config: &mut Map<String, Value>) {
        config.insert("momentum".into(), self.momentum.into());
        config.insert("nesterov".into(), self.nesterov.into());
    }
}
