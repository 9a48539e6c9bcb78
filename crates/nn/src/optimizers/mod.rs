//! Optimisers: Keras' formulas, options and order of operations (keras/src/optimizers/base_optimizer.py).
//!
//! One step is: regulariser gradients, clipping, weight decay, the update, the moving average. All of it happens in one pass over
//! fixed chunks of [`CHUNK`] elements, so the result does not depend on the number of threads.
//!
//! ```
//! use maobi_nn::optimizers::{Adam, Optimizer};
//! let optimizer: Optimizer = Adam::new(1e-3).beta_1(0.8).clipnorm(1.0).into();
//! assert_eq!(optimizer.class_name(), "Adam");
//! ```

#[macro_use]
mod parameters;

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod apply;
mod kind;
mod lion;
mod loss_scale;
mod nadam;
mod rmsprop;
pub mod schedules;
mod serde;
mod sgd;
mod state;
#[cfg(test)]
mod trajectory_tests;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
pub use adamax::Adamax;
pub use apply::{CHUNK, WeightRef, Weights, partition};
pub use kind::Kind;
pub use lion::Lion;
pub use loss_scale::{DynamicScale, LossScale};
pub use nadam::Nadam;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;
pub use state::{OptimizerState, SavedVariable, SlotShape, StateError, StateVariable};

use crate::object::ConfigError;
use schedules::Schedule;

/// The step size.
#[derive(Clone, Debug, PartialEq)]
pub enum LearningRate {
    /// A number, from then on a variable of the state that callbacks may change.
    Constant(f32),
    /// A function of the iteration.
    Schedule(Schedule),
}

impl LearningRate {
    /// The rate of the first step.
    pub fn initial(&self) -> f32 {
        self.at(0)
    }

    /// The rate of the step after `iteration` steps; a constant is the same everywhere.
    pub fn at(&self, iteration: u64) -> f32 {
        match self {
            LearningRate::Constant(rate) => *rate,
            LearningRate::Schedule(schedule) => schedule.at(iteration),
        }
    }
}

impl From<f32> for LearningRate {
    fn from(rate: f32) -> LearningRate {
        LearningRate::Constant(rate)
    }
}

impl From<Schedule> for LearningRate {
    fn from(schedule: Schedule) -> LearningRate {
        LearningRate::Schedule(schedule)
    }
}

/// An optimiser's configuration: what all have in common, and its kind. What changes during training is the
/// [`OptimizerState`].
///
/// `Adam::new(1e-3)` and its like give an `Optimizer<Adam>`, whose own parameters have fluent setters; `into()` makes the plain
/// `Optimizer` of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimizer<K = Kind> {
    /// The formula and its parameters.
    pub kind: K,
    /// The step size.
    pub learning_rate: LearningRate,
    /// Each step first takes `weight_decay`·rate of a weight off it.
    pub weight_decay: Option<f64>,
    /// The largest L2 norm of one weight's gradient.
    pub clipnorm: Option<f64>,
    /// The largest absolute value of a gradient element.
    pub clipvalue: Option<f64>,
    /// The largest L2 norm of all gradients together.
    pub global_clipnorm: Option<f64>,
    /// Keep a moving average of the weights.
    pub use_ema: bool,
    /// The share of the old average; default 0.99.
    pub ema_momentum: f64,
    /// Every so many steps the weights take the value of their average.
    pub ema_overwrite_frequency: Option<u64>,
    /// Scale the loss, as training in float16 needs; Keras' `LossScaleOptimizer` around this one.
    pub loss_scale: Option<LossScale>,
    /// The name in files, such as "adam".
    pub name: String,
}

impl<K> Optimizer<K> {
    /// The defaults of Keras' base class.
    fn base(kind: K, learning_rate: LearningRate, name: &str) -> Optimizer<K> {
        Optimizer {
            kind,
            learning_rate,
            weight_decay: None,
            clipnorm: None,
            clipvalue: None,
            global_clipnorm: None,
            use_ema: false,
            ema_momentum: 0.99,
            ema_overwrite_frequency: None,
            loss_scale: None,
            name: name.into(),
        }
    }

    /// Sets the step size: a number or a schedule.
    pub fn learning_rate(mut self, rate: impl Into<LearningRate>) -> Self {
        self.learning_rate = rate.into();
        self
    }

    /// Sets the weight decay.
    pub fn weight_decay(mut self, value: f64) -> Self {
        self.weight_decay = Some(value);
        self
    }

    /// Limits the norm of each weight's gradient.
    pub fn clipnorm(mut self, value: f64) -> Self {
        self.clipnorm = Some(value);
        self
    }

    /// Limits the elements of gradients.
    pub fn clipvalue(mut self, value: f64) -> Self {
        self.clipvalue = Some(value);
        self
    }

    /// Limits the norm of all gradients together.
    pub fn global_clipnorm(mut self, value: f64) -> Self {
        self.global_clipnorm = Some(value);
        self
    }

    /// Keeps a moving average with this momentum, and makes it the weights every `overwrite` steps where given.
    pub fn ema(mut self, momentum: f64, overwrite: Option<u64>) -> Self {
        self.use_ema = true;
        self.ema_momentum = momentum;
        self.ema_overwrite_frequency = overwrite;
        self
    }

    /// Scales the loss. `compile` does it by itself, with the defaults, where a model's policy is `mixed_float16`.
    pub fn loss_scale(mut self, how: LossScale) -> Self {
        self.loss_scale = Some(how);
        self
    }

    /// Sets the name.
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// The same with another kind.
    fn with_kind<L>(self, kind: impl FnOnce(K) -> L) -> Optimizer<L> {
        Optimizer {
            kind: kind(self.kind),
            learning_rate: self.learning_rate,
            weight_decay: self.weight_decay,
            clipnorm: self.clipnorm,
            clipvalue: self.clipvalue,
            global_clipnorm: self.global_clipnorm,
            use_ema: self.use_ema,
            ema_momentum: self.ema_momentum,
            ema_overwrite_frequency: self.ema_overwrite_frequency,
            loss_scale: self.loss_scale,
            name: self.name,
        }
    }
}

impl Optimizer {
    /// The class name in Keras.
    pub fn class_name(&self) -> &'static str {
        self.kind.class_name()
    }

    /// Checks every option, as Keras' constructors do.
    ///
    /// # Errors
    /// [`ConfigError`] for a negative or non-finite number, several clip options at once, or a value outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let class = self.class_name();
        match &self.learning_rate {
            LearningRate::Constant(rate) if !(rate.is_finite() && *rate >= 0.0) => {
                return Err(ConfigError::bad_value(class, "learning_rate", "a number, 0 or more, or a schedule", rate));
            }
            LearningRate::Constant(_) => {}
            LearningRate::Schedule(schedule) => schedule.check()?,
        }
        let clips = [("clipnorm", self.clipnorm), ("clipvalue", self.clipvalue), ("global_clipnorm", self.global_clipnorm)];
        if clips.iter().filter(|(_, clip)| clip.is_some()).count() > 1 {
            let given: Vec<String> = clips.iter().filter_map(|(key, clip)| clip.map(|clip| format!("{key} = {clip}"))).collect();
            let message = format!(
                "only one of clipnorm, clipvalue and global_clipnorm can be set, got {}; remove all but one",
                given.join(", ")
            );
            return Err(ConfigError::Conflict { class: class.into(), message });
        }
        for (key, value) in clips.into_iter().chain([("weight_decay", self.weight_decay)]) {
            if let Some(value) = value
                && !(value.is_finite() && value >= 0.0)
            {
                return Err(ConfigError::bad_value(class, key, "a number, 0 or more", value));
            }
        }
        if self.weight_decay.is_none() && matches!(self.kind, Kind::AdamW(_)) {
            return Err(ConfigError::bad_value(class, "weight_decay", "a number", "none; use Adam instead"));
        }
        if !(0.0..=1.0).contains(&self.ema_momentum) {
            return Err(ConfigError::bad_value(class, "ema_momentum", "a number from 0 to 1", self.ema_momentum));
        }
        if self.ema_overwrite_frequency == Some(0) {
            return Err(ConfigError::bad_value(class, "ema_overwrite_frequency", "1 or more, or null", 0));
        }
        self.loss_scale.map_or(Ok(()), |how| how.check())?;
        self.kind.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(optimizer: impl Into<Optimizer>) -> String {
        optimizer.into().check().unwrap_err().to_string()
    }

    #[test]
    fn options_are_checked_as_in_keras() {
        assert_eq!(message(Sgd::new(-0.1)), "SGD: learning_rate must be a number, 0 or more, or a schedule, got -0.1");
        assert_eq!(
            message(Adam::new(0.1).clipnorm(1.0).clipvalue(0.5)),
            "Adam: only one of clipnorm, clipvalue and global_clipnorm can be set, got clipnorm = 1, clipvalue = 0.5; \
             remove all but one"
        );
        assert_eq!(message(Sgd::new(0.1).momentum(1.5)), "SGD: momentum must be a number from 0 to 1, got 1.5");
        assert_eq!(message(Adam::new(0.1).ema(1.1, None)), "Adam: ema_momentum must be a number from 0 to 1, got 1.1");
        assert_eq!(message(Adam::new(0.1).ema(0.9, Some(0))), "Adam: ema_overwrite_frequency must be 1 or more, or null, got 0");
        assert_eq!(message(Adam::new(0.1).weight_decay(-1.0)), "Adam: weight_decay must be a number, 0 or more, got -1");
    }

    #[test]
    fn defaults_are_valid() {
        for class in Kind::NAMES {
            let optimizer = Optimizer::from_value(&class.into()).unwrap();
            assert_eq!(optimizer.class_name(), class);
            optimizer.check().unwrap();
        }
    }
}
