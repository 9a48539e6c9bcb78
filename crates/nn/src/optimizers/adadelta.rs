//! Adadelta: a ← ρ·a + (1 − ρ)·g², δ = −√(d + ε)·g / √(a + ε), d ← ρ·d + (1 − ρ)·δ², w ← w + rate·δ
//! (keras/src/optimizers/adadelta.py).

use maobi_kernels::update;
use serde_json::{Map, Value};

use super::kind::{Formula, Slots, Step, check_positive, check_share};
use super::{LearningRate, Optimizer};
use crate::serial::{ConfigError, Fields};

/// Adadelta.
#[derive(Clone, Debug, PartialEq)]
pub struct Adadelta {
    /// Decay of both mean squares; default 0.95.
    pub rho: f64,
    /// Added under the roots; default 1e-7.
    pub epsilon: f64,
}

impl Default for Adadelta {
    fn default() -> Adadelta {
        Adadelta { rho: 0.95, epsilon: 1e-7 }
    }
}

impl Adadelta {
    /// Adadelta with a step size (a number or a schedule); Keras' default is 0.001.
    #[allow(clippy::new_ret_no_self)] // the optimiser is what a user wants of it
    pub fn new(learning_rate: impl Into<LearningRate>) -> Optimizer<Adadelta> {
        Optimizer::base(Adadelta::default(), learning_rate.into(), "adadelta")
    }
}

impl Optimizer<Adadelta> {
    /// Sets `rho`: decay of both mean squares; default 0.95.
    pub fn rho(mut self, value: f64) -> Self {
        self.kind.rho = value;
        self
    }

    /// Sets `epsilon`: added under the roots; default 1e-7.
    pub fn epsilon(mut self, value: f64) -> Self {
        self.kind.epsilon = value;
        self
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

    fn read(fields: &mut Fields) -> Result<Adadelta, ConfigError> {
        let default = Adadelta::default();
        Ok(Adadelta { rho: fields.f64_or("rho", default.rho)?, epsilon: fields.f64_or("epsilon", default.epsilon)? })
    }

    fn write(&self, config: &mut Map<String, Value>) {
        config.insert("rho".into(), self.rho.into());
        config.insert("epsilon".into(), self.epsilon.into());
    }
}
