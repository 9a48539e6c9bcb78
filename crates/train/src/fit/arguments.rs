//! The arguments of `fit`.

use crate::callbacks::Callback;
use crate::error::{Error, Result};
use crate::examples::{Examples, check_shapes};
use maobi_nn::Model;

/// The arguments of Keras' `fit`.
///
/// ```no_run
/// # use maobi_train::{Fit, EarlyStopping};
/// let how = Fit::new().epochs(12).batch_size(128).validation_split(0.1).callback(EarlyStopping::new("val_loss").patience(2));
/// ```
pub struct Fit<'a> {
    pub(super) epochs: Option<usize>,
    pub(super) steps: Option<u64>,
    pub(super) batch_size: usize,
    pub(super) shuffle: bool,
    pub(super) validation: Option<&'a dyn Examples>,
    pub(super) validation_split: f64,
    pub(super) callbacks: Vec<Box<dyn Callback + 'a>>,
    pub(super) class_weight: Option<Vec<f32>>,
}

impl Default for Fit<'_> {
    fn default() -> Self {
        Fit {
            epochs: None,
            steps: None,
            batch_size: 32,
            shuffle: true,
            validation: None,
            validation_split: 0.0,
            callbacks: Vec::new(),
            class_weight: None,
        }
    }
}

impl<'a> Fit<'a> {
    /// One epoch of batches of 32, shuffled.
    pub fn new() -> Self {
        Fit::default()
    }

    /// Epochs in all, counted from the first one of the run.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = Some(epochs);
        self
    }

    /// Optimizer steps in all (`global_step` at which training ends), instead of epochs.
    #[must_use]
    pub fn steps(mut self, steps: u64) -> Self {
        self.steps = Some(steps);
        self
    }

    /// Samples per step; 32 by default.
    #[must_use]
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// Whether each epoch takes the samples in an order of its own; true by default.
    #[must_use]
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// Data on which every epoch is evaluated.
    #[must_use]
    pub fn validation_data(mut self, data: &'a dyn Examples) -> Self {
        self.validation = Some(data);
        self
    }

    /// Share of the training data, its tail before any shuffling, that is kept for validation.
    #[must_use]
    pub fn validation_split(mut self, share: f64) -> Self {
        self.validation_split = share;
        self
    }

    /// Appends a callback; hooks run in this order.
    #[must_use]
    pub fn callback(mut self, callback: impl Callback + 'a) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Appends a callback that is already boxed.
    #[must_use]
    pub fn callback_boxed(mut self, callback: Box<dyn Callback + 'a>) -> Self {
        self.callbacks.push(callback);
        self
    }

    /// How much the samples of each class count in the loss.
    #[must_use]
    pub fn class_weight(mut self, weights: impl Into<Vec<f32>>) -> Self {
        self.class_weight = Some(weights.into());
        self
    }

    /// Checks the arguments against each other, the model and the data.
    pub(super) fn check(&self, model: &Model, data: &dyn Examples) -> Result<()> {
        if self.batch_size == 0 {
            return Err(Error::argument("batch_size", "expected at least 1, got 0"));
        }
        if data.is_empty() {
            return Err(Error::argument("training data", "there are no samples"));
        }
        if !(0.0..1.0).contains(&self.validation_split) {
            return Err(Error::argument(
                "validation_split",
                format!("expected a share from 0 to below 1, got {}", self.validation_split),
            ));
        }
        if self.validation_split > 0.0 && self.validation.is_some() {
            return Err(Error::argument("validation_split", "give either validation_split or validation_data, not both"));
        }
        if self.validation.is_some_and(|v| v.is_empty()) {
            return Err(Error::argument("validation data", "there are no samples"));
        }
        check_shapes(model, data, "training data")?;
        self.validation.map_or(Ok(()), |v| check_shapes(model, v, "validation data"))
    }
}
