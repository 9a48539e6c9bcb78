//! RMSprop: v ← ρ·v + (1 − ρ)·g², w ← w − rate·g / √(v + ε); centred, the square of the mean gradient comes off v; with momentum,
//! the steps are summed (keras/src/optimizers/rmsprop.py).

use maobi_kernels::update;
use serde_json::{Map, Value};

use super::kind::{Formula, Slots, Step, check_positive, check_share};
use super::{LearningRate, Optimizer};
use crate::serial::{ConfigError, Fields};

/// RMSprop.
#[derive(Clone, Debug, PartialEq)]
pub struct RmsProp {
    /// Decay of the mean square; default 0.9.
    pub rho: f64,
    /// Share of the last step that goes on; default 0.
    pub momentum: f64,
    /// Added under the root; default 1e-7.
    pub epsilon: f64,
    /// Divide by the deviation rather than the mean square's root.
    pub centered: bool,
}

impl Default for RmsProp {
    fn default() -> RmsProp {
        RmsProp { rho: 0.9, momentum: 0.0, epsilon: 1e-7, centered: false }
    }
}

impl RmsProp {
    /// RMSprop with a step size (a number or a schedule); Keras' default is 0.001.
    #[allow(clippy::new_ret_no_self)] // the optimiser is what a user wants of it
    pub fn new(learning_rate: impl Into<LearningRate>) -> Optimizer<RmsProp> {
        Optimizer::base(RmsProp::default(), learning_rate.into(), "rmsprop")
    }
}

impl Optimizer<RmsProp> {
    /// Sets `rho`: decay of the mean square; default 0.9.
    pub fn rho(mut self, value: f64) -> Self {
        self.kind.rho = value;
        self
    }

    /// Sets `momentum`: share of the last step that goes on; default 0.
    pub fn momentum(mut self, value: f64) -> Self {
        self.kind.momentum = value;
        self
    }

    /// Sets `epsilon`: added under the root; default 1e-7.
    pub fn epsilon(mut self, value: f64) -> Self {
        self.kind.epsilon = value;
        self
    }

    /// Sets `centered`: divide by the deviation rather than the mean square's root.
    pub fn centered(mut self, value: bool) -> Self {
        self.kind.centered = value;
        self
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

    fn read(fields: &mut Fields) -> Result<RmsProp, ConfigError> {
        let default = RmsProp::default();
        Ok(RmsProp {
            rho: fields.f64_or("rho", default.rho)?,
            momentum: fields.f64_or("momentum", default.momentum)?,
            epsilon: fields.f64_or("epsilon", default.epsilon)?,
            centered: fields.bool_or("centered", default.centered)?,
        })
    }

    fn write(&self, config: &mut Map<String, Value>) {
        config.insert("rho".into(), self.rho.into());
        config.insert("momentum".into(), self.momentum.into());
        config.insert("epsilon".into(), self.epsilon.into());
        config.insert("centered".into(), self.centered.into());
    }
}
