//! Optimizers: Keras' formulas, options and order of operations (keras/src/optimizers/base_optimizer.py).
//!
//! One step is: regularizer gradients, clipping, weight decay, the update, the moving average. All of it happens in one pass over
//! fixed chunks of [`CHUNK`] elements, so the result does not depend on the number of threads. What needs whole matrices (Muon) is
//! updated weight by weight afterwards.
//!
//! An optimizer is a file here and a line in the list below; an optimizer of your own implements [`Formula`] and is registered with
//! [`Optimizer::register`].
//!
//! ```
//! use maobi_nn::optimizers::{Adam, Optimizer};
//! let optimizer: Optimizer = Adam::new(1e-3).beta_1(0.8).clipnorm(1.0).into();
//! assert_eq!(optimizer.class_name(), "Adam");
//! ```

mod apply;
mod base;
mod chunk;
mod formula;
mod learning_rate;
mod loss_scale;
pub mod schedules;
mod state;
#[cfg(test)]
mod trajectory_tests;

pub use apply::{WeightRef, Weights};
pub use base::Base;
pub use chunk::{CHUNK, partition};
pub use formula::{Formula, HasBase, MOST_SLOTS, Slots, Step, Treatment, Whole};
pub use learning_rate::LearningRate;
pub use loss_scale::{DynamicScale, LossScale};
pub use state::{OptimizerState, SavedVariable, SlotShape, StateError, StateVariable};

use crate::object::{Config, ConfigError, Declared, Entry, objects, parse_object, same_name, serde_by_value};
use crate::optimizer_base;
use serde_json::Value;

objects! {
    /// All optimizers.
    static OPTIMIZERS: Registry<Optimizer> = ("optimizer", "keras.optimizers", Optimizer::from);
    sgd::SGD,
    adam::Adam,
    adamw::AdamW,
    rmsprop::RMSprop,
    adagrad::Adagrad,
    adadelta::Adadelta,
    nadam::Nadam,
    adamax::Adamax,
    lion::Lion,
    ftrl::Ftrl,
    muon::Muon,
}

/// An optimizer, whichever it is: configuration. What changes during training is the [`OptimizerState`].
#[derive(Debug)]
pub struct Optimizer(Box<dyn Formula>);

impl<F: Formula> From<F> for Optimizer {
    fn from(formula: F) -> Optimizer {
        Optimizer(Box::new(formula))
    }
}

impl Clone for Optimizer {
    fn clone(&self) -> Optimizer {
        Optimizer(self.0.boxed())
    }
}

impl PartialEq for Optimizer {
    fn eq(&self, other: &Optimizer) -> bool {
        self.0.same(&*other.0)
    }
}

optimizer_base!(@setters Optimizer, self => self.0.base_mut());

impl Optimizer {
    /// Makes an optimizer of your own known: files and recipes then find it by its class name.
    pub fn register<F: Formula + Declared>() {
        OPTIMIZERS.register(Entry::of::<F>(|fields| Ok(F::read(fields)?.into())));
    }

    /// The class names that [`Optimizer::from_value`] knows.
    pub fn known_names() -> Vec<&'static str> {
        OPTIMIZERS.names()
    }

    /// The class name that a name in any of Keras' spellings stands for.
    pub fn class_named(name: &str) -> Option<&'static str> {
        OPTIMIZERS.find(name).map(|entry| entry.class_name())
    }

    /// What it computes.
    pub fn formula(&self) -> &dyn Formula {
        &*self.0
    }

    /// The optimizer itself, if it is of this class.
    pub fn get<F: Formula>(&self) -> Option<&F> {
        self.0.as_any().downcast_ref()
    }

    /// What all optimizers have in common.
    pub fn base(&self) -> &Base {
        self.0.base()
    }

    /// The same, to change.
    pub fn base_mut(&mut self) -> &mut Base {
        self.0.base_mut()
    }

    /// The class name in Keras.
    pub fn class_name(&self) -> &'static str {
        self.0.class_name()
    }

    /// The name in files, such as "adam".
    pub fn name_in_files(&self) -> &str {
        self.base().name.as_deref().unwrap_or(self.0.default_name())
    }

    /// Checks every option, as Keras' constructors do.
    ///
    /// # Errors
    /// [`ConfigError`] for a negative or non-finite number, several clip options at once, or a value outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.base().check(self.class_name())?;
        self.0.check_arguments()?;
        self.0.check()
    }

    /// Reads any of the three forms of a configuration.
    ///
    /// Keras 2's `decay` becomes the schedule it stood for: rate / (1 + decay·iteration).
    ///
    /// # Errors
    /// [`ConfigError`] for unknown names or keys, and for whatever [`Optimizer::check`] refuses.
    pub fn from_value(value: &Value) -> Result<Optimizer, ConfigError> {
        let (name, map) = parse_object("optimizer", value)?;
        if same_name(&name, LossScale::CLASS) {
            let (inner, how) = LossScale::read(map)?;
            let inner = Optimizer::from_value(&inner)?;
            if inner.base().loss_scale.is_some() {
                return Err(ConfigError::bad_value(LossScale::CLASS, "inner_optimizer", "an optimizer", LossScale::CLASS));
            }
            let optimizer = inner.loss_scale(how);
            optimizer.check()?;
            return Ok(optimizer);
        }
        let (entry, mut fields) = OPTIMIZERS.open(value)?;
        let rate = fields.take("learning_rate");
        let mut optimizer = entry.read(&mut fields)?;
        let default_name = optimizer.0.default_name();
        optimizer.base_mut().read(rate, &mut fields, default_name)?;
        fields.finish()?;
        optimizer.check()?;
        Ok(optimizer)
    }

    /// The Keras object.
    pub fn to_value(&self) -> Value {
        let mut config = Config::new();
        config.insert("name".into(), self.name_in_files().into());
        self.base().write(&mut config);
        config.append(&mut self.0.arguments());
        let own = OPTIMIZERS.write(&*self.0, config);
        match self.base().loss_scale {
            None => own,
            Some(how) => how.to_value(own),
        }
    }
}

serde_by_value!(Optimizer);

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn message(optimizer: impl Into<Optimizer>) -> String {
        optimizer.into().check().unwrap_err().to_string()
    }

    #[test]
    fn options_are_checked_as_in_keras() {
        assert_eq!(message(SGD::new(-0.1)), "SGD: learning_rate must be a number, 0 or more, or a schedule, got -0.1");
        assert_eq!(
            message(Adam::new(0.1).clipnorm(1.0).clipvalue(0.5)),
            "Adam: only one of clipnorm, clipvalue and global_clipnorm can be set, got clipnorm = 1, clipvalue = 0.5; \
             remove all but one"
        );
        assert_eq!(message(SGD::new(0.1).momentum(1.5)), "SGD: momentum must be a number from 0 to 1, got 1.5");
        assert_eq!(message(Adam::new(0.1).ema(1.1, None)), "Adam: ema_momentum must be a number from 0 to 1, got 1.1");
        assert_eq!(message(Adam::new(0.1).ema(0.9, Some(0))), "Adam: ema_overwrite_frequency must be 1 or more, or null, got 0");
        assert_eq!(message(Adam::new(0.1).weight_decay(-1.0)), "Adam: weight_decay must be a number, 0 or more, got -1");
    }

    #[test]
    fn defaults_are_valid() {
        for class in Optimizer::known_names() {
            let optimizer = Optimizer::from_value(&class.into()).unwrap();
            assert_eq!(optimizer.class_name(), class);
            optimizer.check().unwrap();
        }
    }

    #[test]
    fn every_optimizer_round_trips() {
        for class in Optimizer::known_names() {
            let optimizer = Optimizer::from_value(&json!({"type": class, "learning_rate": 0.125, "clipnorm": 1.5})).unwrap();
            let value = optimizer.to_value();
            let back = Optimizer::from_value(&value).unwrap();
            assert_eq!((value["class_name"].as_str(), back.class_name()), (Some(class), class));
            assert_eq!((&back, back.to_value()), (&optimizer, value));
            let text = serde_json::to_string(&optimizer).unwrap();
            assert_eq!(serde_json::from_str::<Optimizer>(&text).unwrap(), optimizer);
        }
    }

    #[test]
    fn the_three_forms() {
        let adam: Optimizer = Adam::new(1e-3).into();
        assert_eq!(Optimizer::from_value(&json!("adam")).unwrap(), adam);
        let sgd: Optimizer = SGD::new(0.01).momentum(0.9).into();
        assert_eq!(Optimizer::from_value(&json!({"type": "SGD", "learning_rate": 0.01, "momentum": 0.9})).unwrap(), sgd);
        assert_eq!(
            sgd.to_value(),
            json!({"module": "keras.optimizers", "class_name": "SGD", "config": {
                "name": "SGD", "learning_rate": 0.01, "weight_decay": null, "clipnorm": null, "global_clipnorm": null,
                "clipvalue": null, "use_ema": false, "ema_momentum": 0.99, "ema_overwrite_frequency": null,
                "momentum": 0.9, "nesterov": false}, "registered_name": null})
        );
    }

    #[test]
    fn decay_is_a_schedule() {
        let old = json!({"type": "SGD", "lr": 0.01, "decay": 1e-5, "momentum": 0.9});
        let optimizer = Optimizer::from_value(&old).unwrap();
        assert_eq!(optimizer.base().learning_rate.at(0), 0.01);
        assert!((optimizer.base().learning_rate.at(100_000) - 0.005).abs() < 1e-9);
        assert_eq!(optimizer.to_value()["config"]["learning_rate"]["class_name"], json!("InverseTimeDecay"));
    }

    #[test]
    fn errors_say_what_is_known() {
        assert_eq!(
            Optimizer::from_value(&json!("adem")).unwrap_err().to_string(),
            "unknown optimizer \"adem\" (did you mean \"Adam\"?); known: SGD, Adam, AdamW, RMSprop, Adagrad, Adadelta, Nadam, Adamax, Lion, Ftrl, \
             Muon"
        );
        assert_eq!(
            Optimizer::from_value(&json!({"type": "SGD", "beta": 1})).unwrap_err().to_string(),
            "SGD: unknown key \"beta\"; known: learning_rate, momentum, nesterov, weight_decay, clipnorm, clipvalue, \
             global_clipnorm, use_ema, ema_momentum, ema_overwrite_frequency, name"
        );
        assert_eq!(
            Optimizer::from_value(&json!({"type": "Adam", "learning_rate": "fast"})).unwrap_err().to_string(),
            "Adam: learning_rate must be a number, 0 or more, or a schedule, got \"fast\""
        );
    }
}
