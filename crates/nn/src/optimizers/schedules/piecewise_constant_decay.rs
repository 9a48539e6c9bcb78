//! `PiecewiseConstantDecay`: rates that hold until given steps.

use super::ScheduleFunction;
use crate::keras_object;
use crate::object::{Argument, ConfigError};
use serde_json::Value;

/// Ascending steps. Keras allows fractions; they are dropped, as no step lies between.
#[derive(Clone, Debug, PartialEq)]
pub struct Boundaries(pub Vec<u64>);

impl From<Vec<u64>> for Boundaries {
    fn from(steps: Vec<u64>) -> Boundaries {
        Boundaries(steps)
    }
}

impl Argument for Boundaries {
    fn expected() -> String {
        "a list of steps, 0 or more".into()
    }

    fn read(value: &Value) -> Option<Boundaries> {
        let step = |value: &Value| value.as_f64().filter(|step| *step >= 0.0).map(|step| step as u64);
        value.as_array()?.iter().map(step).collect::<Option<_>>().map(Boundaries)
    }

    fn write(&self) -> Value {
        self.0.clone().into()
    }
}

keras_object! {
    /// `values[i]` up to and including step `boundaries[i]`, the last value afterwards.
    pub struct PiecewiseConstantDecay("PiecewiseConstant") new(
        /// Ascending steps.
        boundaries: Boundaries,
        /// One value more than boundaries.
        values: Vec<f32>,
    ) {}
}

impl ScheduleFunction for PiecewiseConstantDecay {
    fn at(&self, step: u64) -> f32 {
        let piece = self.boundaries.0.partition_point(|boundary| *boundary < step);
        self.values.get(piece).copied().unwrap_or(0.0)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let (boundaries, values) = (&self.boundaries.0, &self.values);
        let wrong =
            |key, expected: String, got: String| Err(ConfigError::bad_value("PiecewiseConstantDecay", key, expected, got));
        if boundaries.len() + 1 != values.len() {
            let expected = format!("one more than boundaries ({})", boundaries.len() + 1);
            return wrong("values", expected, format!("{} values", values.len()));
        }
        if !boundaries.is_sorted() {
            return wrong("boundaries", "ascending".into(), format!("{boundaries:?}"));
        }
        match values.iter().find(|value| !(value.is_finite() && **value >= 0.0)) {
            Some(value) => wrong("values", "numbers, 0 or more".into(), value.to_string()),
            None => Ok(()),
        }
    }
}
