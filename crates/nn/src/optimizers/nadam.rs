//! Nadam: Adam that looks ahead along its mean, with a momentum schedule μₜ = β₁·(1 − 0.96ᵗ / 2) whose running product is part of
//! the state (keras/src/optimizers/nadam.py).

use maobi_kernels::update;
use serde_json::{Map, Value};

use super::kind::{Formula, Slots, Step, check_positive, check_share, power};
use super::{LearningRate, Optimizer};
use crate::serial::{ConfigError, Fields};

/// Nadam.
#[derive(Clone, Debug, PartialEq)]
pub struct Nadam {
    /// Decay of the mean; default 0.9.
    pub beta_1: f64,
    /// Decay of the mean square; default 0.999.
    pub beta_2: f64,
    /// Added to the divisor; default 1e-7.
    pub epsilon: f64,
}

impl Default for Nadam {
    fn default() -> Nadam {
        Nadam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }
}

impl Nadam {
    /// Nadam with a step size (a number or a schedule); Keras' default is 0.001.
    #[allow(clippy::new_ret_no_self)] // the optimiser is what a user wants of it
    pub fn new(learning_rate: impl Into<LearningRate>) -> Optimizer<Nadam> {
        Optimizer::base(Nadam::default(), learning_rate.into(), "nadam")
    }
}

impl Nadam {
    /// The momentum of step `number`, from 1.
    pub(super) fn momentum_at(&self, number: u64) -> f32 {
        self.beta_1 as f32 * (1.0 - 0.5 * power(0.96, number))
    }
}

impl Optimizer<Nadam> {
    /// Sets `beta_1`: decay of the mean; default 0.9.
    pub fn beta_1(mut self, value: f64) -> Self {
        self.kind.beta_1 = value;
        self
    }

    /// Sets `beta_2`: decay of the mean square; default 0.999.
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

impl Formula for Nadam {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[&["momentum", "velocity"]]
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        let (now, next) = (self.momentum_at(step.number), self.momentum_at(step.number + 1));
        let parameters = update::Nadam {
            lr: step.learning_rate,
            // Keras casts the betas first here, so 1 − β is taken in f32, unlike in Adam.
            one_minus_beta_1: 1.0 - self.beta_1 as f32,
            one_minus_beta_2: 1.0 - self.beta_2 as f32,
            one_minus_u: 1.0 - now,
            u_next: next,
            one_minus_u_product: 1.0 - step.u_product,
            one_minus_u_product_next: 1.0 - step.u_product * next,
            one_minus_beta_2_power: 1.0 - power(self.beta_2, step.number),
            epsilon: self.epsilon as f32,
        };
        update::nadam(&parameters, w, g, slots.a, slots.b);
    }

    fn check(&self) -> Result<(), ConfigError> {
        check_share("Nadam", "beta_1", self.beta_1)?;
        check_share("Nadam", "beta_2", self.beta_2)?;
        check_positive("Nadam", "epsilon", self.epsilon)
    }

    fn read(fields: &mut Fields) -> Result<Nadam, ConfigError> {
        let default = Nadam::default();
        Ok(Nadam {
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
