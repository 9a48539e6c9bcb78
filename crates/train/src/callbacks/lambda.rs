//! One's own code after batches and epochs, as Keras' `LambdaCallback`.

use super::{Action, BatchLogs, Callback, Context, EpochLogs};
use crate::error::Result;

/// Runs a closure after every epoch.
///
/// ```
/// use maobi_train::{Fit, callbacks::{Action, OnEpochEnd}};
/// let how = Fit::new().callback(OnEpochEnd(|context, logs| {
///     if logs.get("accuracy") > Some(0.99) { Action::Stop } else { Action::Continue }
/// }));
/// ```
pub struct OnEpochEnd<F: FnMut(&mut Context<'_>, &EpochLogs) -> Action + Send>(
    /// What runs; it may change the model.
    pub F,
);

impl<F: FnMut(&mut Context<'_>, &EpochLogs) -> Action + Send> Callback for OnEpochEnd<F> {
    fn name(&self) -> &'static str {
        "OnEpochEnd"
    }

    fn on_epoch_end(&mut self, context: &mut Context<'_>, logs: &EpochLogs) -> Result<Action> {
        Ok((self.0)(context, logs))
    }
}

/// Runs a closure after every step.
///
/// ```
/// use maobi_train::{Fit, callbacks::{Action, OnBatchEnd}};
/// let how = Fit::new().callback(OnBatchEnd(|context, _| if context.step == 100 { Action::Stop } else { Action::Continue }));
/// ```
pub struct OnBatchEnd<F: FnMut(&mut Context<'_>, &BatchLogs) -> Action + Send>(
    /// What runs; it may change the model.
    pub F,
);

impl<F: FnMut(&mut Context<'_>, &BatchLogs) -> Action + Send> Callback for OnBatchEnd<F> {
    fn name(&self) -> &'static str {
        "OnBatchEnd"
    }

    fn on_batch_end(&mut self, context: &mut Context<'_>, logs: &BatchLogs) -> Result<Action> {
        Ok((self.0)(context, logs))
    }
}
