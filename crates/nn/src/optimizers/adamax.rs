//! Adamax: m ← m + (1 − β₁)(g − m), u ← max(β₂·u, |g|), w ← w − rate·m / ((1 − β₁ᵗ)(u + ε)) (keras/src/optimizers/adamax.py).

use maobi_kernels::update;
use serde_json::{Map, Value};

use super::kind::{Formula, Slots, Step, check_positive, check_share, power};
use super::{LearningRate, Optimizer};
use crate::serial::{ConfigError, Fields};

/// Adamax.
#[derive(Clone, Debug, PartialEq)]
pub struct Adamax {
    /// Decay of the mean; default 0.9.
    pub beta_1: f64,
    /// Decay of the largest gradient; default 0.999.
    pub beta_2: f64,
    /// Added to the divisor; default 1e-7.
    pub epsilon: f64,
}

impl Default for Adamax {
    fn default() -> Adamax {
        Adamax { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }
}

impl Adamax {
    /// Adamax with a step size (a number or a schedule); Keras' default is 0.001.
    #[allow(clippy::new_ret_no_self)] // the optimiser is what a user wants of it
    pub fn new(learning_rate: impl Into<LearningRate>) -> Optimizer<Adamax> {
        Optimizer::base(Adamax::default(), learning_rate.into(), "adamax")
    }
}

impl Optimizer<Adamax> {
    /// Sets `beta_1`: decay of the mean; default 0.9.
    pub fn beta_1(mut self, value: f64) -> Self {
        self.kind.beta_1 = value;
        self
    }

    /// Sets `beta_2`: decay of the largest gradient; default 0.999.
    pub fn beta_2(mut self, value: f64) -> Self {
        self.kind.beta_2 = value;
        self
    }

    /// Sets `epsilon`: added to the divisor; default 1e-7.
    pub fn epsilon(mut self, value: f64) -> Self {
        self.kind.epsilon = value;
        self
    }
}

impl Formula for Adamax {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[&["momentum", "norm"]]
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        let parameters = update::Adamax {
            lr: step.learning_rate,
            one_minus_beta_1: (1.0 - self.beta_1) as f32,
            beta_2: self.beta_2 as f32,
            one_minus_beta_1_power: 1.0 - power(self.beta_1, step.number),
            epsilon: self.epsilon as f32,
        };
        update::adamax(&parameters, w, g, slots.a, slots.b);
    }

    fn check(&self) -> Result<(), ConfigError> {
        check_share("Adamax", "beta_1", self.beta_1)?;
        check_share("Adamax", "beta_2", self.beta_2)?;
        check_positive("Adamax", "epsilon", self.epsilon)
    }

    fn read(fields: &mut Fields) -> Result<Adamax, ConfigError> {
        let default = Adamax::default();
        Ok(Adamax {
            beta_1: fields.f64_or("beta_1", default.beta_1)?,
            beta_2: fields.f64_or("beta_2", default.beta_2)?,
            epsilon: fields.f64_or("epsilon", default.epsilon)?,
        })
    }

    fn write(&self, config: &mut Map<String, Value>) {
        config.insert("beta_1".into(), self.beta_1.into());
        config.insert("beta_2".into(), self.beta_2.into());
        config.insert("epsilon".into(), self.epsilon.into());
    }
}
