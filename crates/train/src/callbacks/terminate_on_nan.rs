//! `TerminateOnNaN`: ends training when the loss is no number.
//!
//! As Keras' `callbacks/terminate_on_nan.py`.

use super::output::{Output, sink_setter};
use super::{Action, BatchLogs, Callback, Context, Running};
use crate::error::Result;
use maobi_nn::keras_object;

keras_object! {
    /// Ends training, without an error, at the first batch whose loss is NaN or infinite. Without this callback such a loss is an error.
    pub struct TerminateOnNaN("terminate_on_nan") with run: Running<State>, {
        /// Whether it is an error after all; false by default.
        raise_error: bool = false,
    }
}

/// Where messages go.
#[derive(Default)]
pub struct State {
    output: Output,
}

impl TerminateOnNaN {
    sink_setter!();
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
        self.run.output.line(&format!("Batch {}: Invalid loss, terminating training", context.batch.saturating_sub(1)));
        Ok(Action::Stop)
    }
}
