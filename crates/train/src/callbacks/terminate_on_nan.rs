//! `TerminateOnNaN`: ends training when the loss is no number.
//!
//! As Keras' `callbacks/terminate_on_nan.py`.

use super::output::Output;
use super::{Action, BatchLogs, Callback, Context};
use crate::error::Result;
use std::io::Write;

/// Ends training, without an error, at the first batch whose loss is NaN or infinite. Without this callback such a loss is an error.
#[derive(Default)]
pub struct TerminateOnNaN {
    raise_error: bool,
    output: Output,
}

impl TerminateOnNaN {
    /// Ends training quietly.
    pub fn new() -> TerminateOnNaN {
        TerminateOnNaN::default()
    }

    /// Make it an error after all.
    #[must_use]
    pub fn raise_error(mut self, raise: bool) -> Self {
        self.raise_error = raise;
        self
    }

    /// Where the message goes instead of standard error.
    #[must_use]
    pub fn sink(mut self, sink: impl Write + Send + 'static) -> Self {
        self.output = Output::to(sink);
        self
    }
}

impl Callback for TerminateOnNaN {
    fn name(&self) -> &'static str {
        "TerminateOnNaN"
    }

    fn on_batch_end(&mut self, context: &mut Context<'_>, logs: &BatchLogs) -> Result<Action> {
        if logs.loss.is_finite() {
            return Ok(Action::Continue);
        }
        if self.raise_error {
            return Err(context.not_finite(format!("the loss is {}", logs.loss)));
        }
        // Keras counts batches from 0 here.
        self.output.line(&format!("Batch {}: Invalid loss, terminating training", context.batch.saturating_sub(1)));
        Ok(Action::Stop)
    }
}
