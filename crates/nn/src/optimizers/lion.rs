//! Lion: w ← w − rate·sign(β₁·m + (1 − β₁)·g), m ← β₂·m + (1 − β₂)·g (keras/src/optimizers/lion.py).

use maobi_kernels::update;
use serde_json::{Map, Value};

use super::kind::{Formula, Slots, Step, check_share};
use super::{LearningRate, Optimizer};
use crate::serial::{ConfigError, Fields};

/// Lion.
#[derive(Clone, Debug, PartialEq)]
pub struct Lion {
    /// Share of the old mean in the direction; default 0.9.
    pub beta_1: f64,
    /// Decay of the mean; default 0.99.
    pub beta_2: f64,
}

impl Default for Lion {
    fn default() -> Lion {
        Lion { beta_1: 0.9, beta_2: 0.99 }
    }
}

impl Lion {
    /// Lion with a step size (a number or a schedule); Keras' default is 0.001.
    #[allow(clippy::new_ret_no_self)] // the optimiser is what a user wants of it
    pub fn new(learning_rate: impl Into<LearningRate>) -> Optimizer<Lion> {
        Optimizer::base(Lion::default(), learning_rate.into(), "lion")
    }
}

impl Optimizer<Lion> {
    /// Sets `beta_1`: share of the old mean in the direction; default 0.9.
    pub fn beta_1(mut self, value: f64) -> Self {
        self.kind.beta_1 = value;
        self
    }

    /// Sets `beta_2`: decay of the mean; default 0.99.
    pub fn beta_2(mut self, value: f64) -> Self {
        self.kind.beta_2 = value;
        self
    }
}

impl Formula for Lion {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[&["momentum"]]
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        let (beta_1, beta_2) = (self.beta_1 as f32, self.beta_2 as f32);
        let parameters = update::Lion {
            lr: step.learning_rate,
            beta_1,
            one_minus_beta_1: 1.0 - beta_1,
            beta_2,
            one_minus_beta_2: 1.0 - beta_2,
        };
        update::lion(&parameters, w, g, slots.a);
    }

    fn check(&self) -> Result<(), ConfigError> {
        if !(self.beta_1 > 0.0 && self.beta_1 <= 1.0) {
            // At 0 only the sign of the gradient would be left.
            return Err(ConfigError::bad_value("Lion", "beta_1", "above 0 and at most 1", self.beta_1));
        }
        check_share("Lion", "beta_2", self.beta_2)
    }

    fn read(fields: &mut Fields) -> Result<Lion, ConfigError> {
        let default = Lion::default();
        Ok(Lion { beta_1: fields.f64_or("beta_1", default.beta_1)?, beta_2: fields.f64_or("beta_2", default.beta_2)? })
    }

    fn write(&self, config: &mut Map<String, Value>) {
        config.insert("beta_1".into(), self.beta_1.into());
        config.insert("beta_2".into(), self.beta_2.into());
    }
}
