//! Learning-rate schedules: functions of the iteration (keras/src/optimizers/schedules/learning_rate_schedule.py).
//!
//! Formulas are evaluated in f32 as in Keras, so that a run follows Keras' own to the last bits.
//!
//! A schedule is a file here and a line in the list below; a schedule of your own implements [`ScheduleFunction`] and is registered
//! with [`Schedule::register`].

#[cfg(test)]
mod golden_tests;

pub use piecewise_constant_decay::Boundaries;

use crate::object::{ConfigError, Declared, Entry, Fields, Object, objects, parse_object, same_name, serde_by_value};
use serde_json::Value;
use std::sync::Arc;

objects! {
    /// All schedules.
    static SCHEDULES: Registry<Schedule> = ("learning-rate schedule", "keras.optimizers.schedules", Schedule::from);
    inverse_time_decay::InverseTimeDecay,
    exponential_decay::ExponentialDecay,
    piecewise_constant_decay::PiecewiseConstantDecay,
    polynomial_decay::PolynomialDecay,
    cosine_decay::CosineDecay,
    cosine_decay_restarts::CosineDecayRestarts,
    one_cycle::OneCycle,
}

/// What a schedule computes. Its arguments are declared by [`keras_object!`](crate::keras_object).
pub trait ScheduleFunction: Object {
    /// The learning rate of the step that follows `step` steps.
    fn at(&self, step: u64) -> f32;

    /// Checks what the ranges of the arguments do not say.
    ///
    /// # Errors
    /// [`ConfigError`] for arguments that do not go together.
    fn check(&self) -> Result<(), ConfigError> {
        Ok(())
    }

    /// Whether Keras can load it. If not, Keras finds the rate of the moment in our files.
    fn in_keras(&self) -> bool {
        true
    }
}

/// A learning rate that depends on the iteration, counted from 0.
#[derive(Clone, Debug)]
pub struct Schedule(Arc<dyn ScheduleFunction>);

impl<S: ScheduleFunction> From<S> for Schedule {
    fn from(schedule: S) -> Schedule {
        Schedule(Arc::new(schedule))
    }
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Schedule) -> bool {
        self.0.same(&*other.0)
    }
}

impl Schedule {
    /// Makes a schedule of your own known: files and recipes then find it by its class name.
    pub fn register<S: ScheduleFunction + Declared>() {
        SCHEDULES.register(Entry::of::<S>(|fields| Ok(S::read(fields)?.into())));
    }

    /// The class names that [`Schedule::from_value`] knows; besides, `LegacyDecay` with `learning_rate` and `decay`.
    pub fn known_names() -> Vec<&'static str> {
        SCHEDULES.names()
    }

    /// The learning rate of the step that follows `step` steps.
    pub fn at(&self, step: u64) -> f32 {
        self.0.at(step)
    }

    /// Whether Keras can load it.
    pub fn in_keras(&self) -> bool {
        self.0.in_keras()
    }

    /// The class name in Keras.
    pub fn class_name(&self) -> &'static str {
        self.0.class_name()
    }

    /// Checks the arguments.
    ///
    /// # Errors
    /// [`ConfigError`] for periods of 0 steps, rates that are negative or not finite, and lists that do not fit.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.0.check_arguments()?;
        self.0.check()
    }

    /// Reads a Keras object or a recipe table.
    ///
    /// # Errors
    /// [`ConfigError`] for unknown names or keys, missing arguments and values out of range.
    pub fn from_value(value: &Value) -> Result<Schedule, ConfigError> {
        let (name, map) = parse_object("learning-rate schedule", value)?;
        let (schedule, fields) = if same_name(&name, "LegacyDecay") {
            let mut fields = Fields::new("LegacyDecay", map);
            let (rate, decay) = (fields.required("learning_rate")?, fields.required("decay")?);
            (InverseTimeDecay::new(rate, 1, decay).into(), fields)
        } else {
            let (entry, mut fields) = SCHEDULES.open(value)?;
            let schedule = entry.read(&mut fields)?;
            fields.ignore(&["name"]);
            (schedule, fields)
        };
        fields.finish()?;
        schedule.check()?;
        Ok(schedule)
    }

    /// The Keras object.
    pub fn to_value(&self) -> Value {
        let mut config = self.0.arguments();
        if !self.in_keras() {
            let mut value = SCHEDULES.write(&*self.0, config);
            value["module"] = "maobi".into();
            return value;
        }
        config.insert("name".into(), self.0.default_name().into());
        SCHEDULES.write(&*self.0, config)
    }
}

serde_by_value!(Schedule);

/// The share of `steps` that is over, or the whole ones only.
fn progress(step: u64, steps: u64, staircase: bool) -> f32 {
    let share = step as f32 / steps as f32;
    if staircase { share.floor() } else { share }
}
