//! The step size: a number or a schedule.

use super::schedules::{InverseTimeDecay, Schedule, ScheduleFunction};
use crate::object::{ConfigError, Fields, number};
use serde_json::Value;

const EXPECTED: &str = "a number, 0 or more, or a schedule";

/// The step size.
#[derive(Clone, Debug, PartialEq)]
pub enum LearningRate {
    /// A number, from then on a variable of the state that callbacks may change.
    Constant(f32),
    /// A function of the iteration.
    Schedule(Schedule),
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

impl<S: ScheduleFunction> From<S> for LearningRate {
    fn from(schedule: S) -> LearningRate {
        LearningRate::Schedule(schedule.into())
    }
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

    pub(super) fn read(value: &Value, fields: &Fields) -> Result<LearningRate, ConfigError> {
        if value.is_object() {
            return Schedule::from_value(value).map(LearningRate::Schedule);
        }
        let rate = value.as_f64().ok_or_else(|| fields.bad("learning_rate", EXPECTED, value))?;
        Ok(LearningRate::Constant(rate as f32))
    }

    pub(super) fn to_value(&self) -> Value {
        match self {
            LearningRate::Constant(rate) => number(*rate),
            LearningRate::Schedule(schedule) => schedule.to_value(),
        }
    }

    /// Keras 2's `decay` becomes the schedule it stood for: rate / (1 + decay·iteration).
    pub(super) fn decay(&mut self, value: &Value, fields: &Fields) -> Result<(), ConfigError> {
        match (value.as_f64(), &self) {
            (Some(0.0), _) => {}
            (Some(decay), LearningRate::Constant(rate)) if decay.is_finite() && decay > 0.0 => {
                *self = InverseTimeDecay::new(*rate, 1, decay as f32).into();
            }
            (Some(decay), LearningRate::Schedule(_)) if decay.is_finite() && decay > 0.0 => {
                let message = "decay and a learning-rate schedule exclude each other; remove decay".into();
                return Err(ConfigError::Conflict { class: fields.class().into(), message });
            }
            _ => return Err(fields.bad("decay", "a number, 0 or more", value)),
        }
        Ok(())
    }

    pub(super) fn check(&self, class: &str) -> Result<(), ConfigError> {
        match self {
            LearningRate::Constant(rate) if rate.is_finite() && *rate >= 0.0 => Ok(()),
            LearningRate::Constant(rate) => Err(ConfigError::bad_value(class, "learning_rate", EXPECTED, rate)),
            LearningRate::Schedule(schedule) => schedule.check(),
        }
    }
}
