//! `LearningRateScheduler`: a learning rate for every epoch.
//!
//! As Keras' `callbacks/learning_rate_scheduler.py`.

use super::output::Output;
use super::reduce_lr_on_plateau::check_settable;
use super::{Callback, Context};
use crate::error::{Error, Result};

/// Sets the learning rate at the start of every epoch to what a function of epoch (from 0) and current rate gives.
///
/// ```
/// use maobi_train::LearningRateScheduler;
/// let falling = LearningRateScheduler::new(|epoch, rate| if epoch < 10 { rate } else { rate * 0.9 });
/// ```
pub struct LearningRateScheduler<F> {
    schedule: F,
    verbose: usize,
    output: Output,
}

impl<F: FnMut(usize, f32) -> f32 + Send> LearningRateScheduler<F> {
    /// The rate of an epoch is `schedule(epoch, rate)`.
    pub fn new(schedule: F) -> Self {
        LearningRateScheduler { schedule, verbose: 0, output: Output::default() }
    }

    /// 1 says what is set; 0, the default, says nothing.
    #[must_use]
    pub fn verbose(mut self, verbose: usize) -> Self {
        self.verbose = verbose;
        self
    }

    /// Where messages go instead of standard error.
    #[must_use]
    pub fn sink(mut self, sink: impl std::io::Write + Send + 'static) -> Self {
        self.output = Output::to(sink);
        self
    }
}

impl<F: FnMut(usize, f32) -> f32 + Send> Callback for LearningRateScheduler<F> {
    fn name(&self) -> &'static str {
        "LearningRateScheduler"
    }

    fn on_train_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        check_settable(context.model, self.name())
    }

    fn on_epoch_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        // An epoch that goes on after an interruption has its rate already.
        let Some(state) = context.model.optimizer_state_mut().filter(|_| context.batch == 0) else { return Ok(()) };
        let rate = (self.schedule)(context.epoch, state.learning_rate);
        if !rate.is_finite() || rate < 0.0 {
            let message = format!("the schedule gave {rate} for epoch {}; expected a rate of at least 0", context.epoch);
            return Err(Error::argument("LearningRateScheduler", message));
        }
        state.learning_rate = rate;
        self.output
            .say(self.verbose, &format!("Epoch {}: LearningRateScheduler setting learning rate to {rate}.", context.epoch + 1));
        Ok(())
    }
}
