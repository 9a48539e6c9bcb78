//! Adagrad: a ← a + g², w ← w − rate·g / √(a + ε) (keras/src/optimizers/adagrad.py).

use maobi_kernels::update;
use serde_json::{Map, Value};

use super::kind::{Formula, Slots, Step, check_positive};
use super::{LearningRate, Optimizer};
use crate::serial::{ConfigError, Fields};

/// Adagrad.
#[derive(Clone, Debug, PartialEq)]
pub struct Adagrad {
    /// Where the sums of squares start; default 0.1.
    pub initial_accumulator_value: f64,
    /// Added under the root; default 1e-7.
    pub epsilon: f64,
}

impl Default for Adagrad {
    fn default() -> Adagrad {
        Adagrad { initial_accumulator_value: 0.1, epsilon: 1e-7 }
    }
}

impl Adagrad {
    /// Adagrad with a step size (a number or a schedule); Keras' default is 0.001.
    #[allow(clippy::new_ret_no_self)] // the optimiser is what a user wants of it
    pub fn new(learning_rate: impl Into<LearningRate>) -> Optimizer<Adagrad> {
        Optimizer::base(Adagrad::default(), learning_rate.into(), "adagrad")
    }
}

impl Optimizer<Adagrad> {
    /// Sets `initial_accumulator_value`: where the sums of squares start; default 0.1.
    pub fn initial_accumulator_value(mut self, value: f64) -> Self {
        self.kind.initial_accumulator_value = value;
        self
    }

    /// Sets `epsilon`: added under the root; default 1e-7.
    pub fn epsilon(mut self, value: f64) -> Self {
        self.kind.epsilon = value;
        self
    }
}

impl Formula for Adagrad {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        &[&["accumulator"]]
    }

    fn initial_slot(&self) -> f32 {
        self.initial_accumulator_value as f32
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        let parameters = update::Adagrad { lr: step.learning_rate, epsilon: self.epsilon as f32 };
        update::adagrad(&parameters, w, g, slots.a);
    }

    fn check(&self) -> Result<(), ConfigError> {
        check_positive("Adagrad", "initial_accumulator_value", self.initial_accumulator_value)?;
        check_positive("Adagrad", "epsilon", self.epsilon)
    }

    fn read(fields: &mut Fields) -> Result<Adagrad, ConfigError> {
        let default = Adagrad::default();
        Ok(Adagrad {
            initial_accumulator_value: fields.f64_or("initial_accumulator_value", default.initial_accumulator_value)?,
            epsilon: fields.f64_or("epsilon", default.epsilon)?,
        })
    }

    fn write(&self, config: &mut Map<String, Value>) {
        config.insert("initial_accumulator_value".into(), self.initial_accumulator_value.into());
        config.insert("epsilon".into(), self.epsilon.into());
    }
}
