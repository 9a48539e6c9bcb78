//! Explains NaN and infinity in training: what became NaN, whether the data is the reason, and what to do.

use crate::callbacks::{Callback, Context};
use crate::error::{Error, Result};
use crate::examples::{Examples, Targets};
use maobi_nn::Model;

/// Where training is when something is not finite.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Optimizer steps so far.
    pub step: u64,
    pub learning_rate: f32,
}

impl Place {
    pub(crate) fn of(model: &Model, epoch: usize) -> Place {
        let state = model.optimizer_state_ref();
        Place {
            epoch,
            step: state.map_or(0, |state| state.iterations),
            learning_rate: state.map_or(0.0, |state| state.learning_rate),
        }
    }

    pub(crate) fn error(self, what: impl Into<String>) -> Error {
        let Place { epoch, step, learning_rate } = self;
        Error::NotFinite { what: what.into(), epoch, step, learning_rate, kept: None }
    }

    /// Checks weights, optimizer state and learning rate.
    pub(crate) fn check(self, model: &Model) -> Result<()> {
        if !self.learning_rate.is_finite() {
            return Err(self.error(format!("the learning rate is {}", self.learning_rate)));
        }
        model.check_finite_training().map_err(|error| self.error(error.to_string()))
    }

    /// The error for a figure that is not finite: the first of the samples `indices` that is not finite either is the reason.
    pub(crate) fn of_figure(
        self,
        (name, value): (&str, f64),
        data: &dyn Examples,
        name_of_data: &str,
        samples: Samples<'_>,
    ) -> Error {
        let what = format!("{name} is {value}");
        match bad_sample(data, samples) {
            Some(sample) => Error::NotFiniteData {
                what,
                epoch: self.epoch,
                step: self.step,
                sample: format!("{sample} of the {name_of_data}"),
                kept: None,
            },
            None => self.error(what),
        }
    }
}

/// Which samples a figure was computed from.
#[derive(Clone, Copy)]
pub(crate) enum Samples<'a> {
    /// Those of a training step, and its epoch from 0.
    Step(&'a [u32], u64),
    All,
}

/// The first input, target or sample weight that is not finite, such as "input 0 of sample 17 (counted from 0)".
fn bad_sample(data: &dyn Examples, samples: Samples<'_>) -> Option<String> {
    let lengths = data.input_lengths();
    let (mut targets, mut weights) = (data.targets(), Vec::new());
    let mut values: Vec<Vec<f32>> = lengths.iter().map(|&length| vec![0.0; length]).collect();
    let mut one = |index: u32| {
        let bad = |what: &str, values: &[f32]| {
            let value = values.iter().find(|value| !value.is_finite())?;
            Some((format!("{what} of sample {index} (counted from 0)"), *value))
        };
        for (input, values) in values.iter_mut().enumerate() {
            match samples {
                Samples::Step(_, epoch) => data.fill_for_training(input, &[index], epoch, values),
                Samples::All => data.fill(input, &[index], values),
            }
            if let Some(found) = bad(&format!("input {input}"), values) {
                return Some(found);
            }
        }
        for (output, targets) in targets.iter_mut().enumerate() {
            data.fill_targets(output, &[index], targets);
            if let Targets::Values(values) = targets
                && let Some(found) = bad(&format!("target {output}"), values)
            {
                return Some(found);
            }
        }
        data.fill_weights(&[index], &mut weights).then(|| bad("the weight", &weights)).flatten()
    };
    let found = match samples {
        Samples::Step(indices, _) => indices.iter().find_map(|&index| one(index)),
        Samples::All => (0..data.len() as u32).find_map(one),
    };
    found.map(|(place, value)| format!("{value} in {place}"))
}

/// Adds the file with the last good model that a callback has kept.
pub(crate) fn with_kept(mut error: Error, callbacks: &[Box<dyn Callback + '_>]) -> Error {
    if let Error::NotFinite { kept, .. } | Error::NotFiniteData { kept, .. } = &mut error {
        *kept = callbacks.iter().find_map(|callback| callback.kept());
    }
    error
}

impl Context<'_> {
    /// Checks that the model may be saved: weights and everything that the optimizer keeps are finite.
    ///
    /// # Errors
    /// [`Error::NotFinite`] names the weight, the step and the learning rate.
    pub fn check_finite(&self) -> Result<()> {
        self.place().check(self.model)
    }

    /// The error that ends training because of `what`, such as "the loss is NaN".
    pub fn not_finite(&self, what: impl Into<String>) -> Error {
        self.place().error(what)
    }

    fn place(&self) -> Place {
        // Between two epochs, `epoch` counts the one that is over.
        Place::of(self.model, if self.batch > 0 { self.epoch + 1 } else { self.epoch.max(1) })
    }
}
