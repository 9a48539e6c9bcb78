//! `ReduceLROnPlateau`: a smaller learning rate when a figure no longer gets better.
//!
//! As Keras' `callbacks/reduce_lr_on_plateau.py`.

use super::output::{Output, sink_setter};
use super::{Action, Callback, Context, EpochLogs, Mode, Running};
use crate::error::{Error, Result};
use maobi_nn::object::{Declared, range};
use maobi_nn::{Model, keras_object};
use serde_json::{Value, json};

keras_object! {
    /// Multiplies the learning rate by `factor` when a figure has not become better for `patience` epochs.
    pub struct ReduceLROnPlateau("reduce_lr_on_plateau") with run: Running<State>, new(
        /// The figure that is watched; `val_loss` where a recipe does not say.
        monitor: String = "val_loss".into(),
    ) {
        /// What the rate is multiplied by, from 0 to below 1; 0.1 by default.
        factor: f64 where range::BELOW_ONE = 0.1,
        /// Epochs without a better figure that are waited for; 10 by default.
        patience: usize = 10,
        /// 1 says when the rate is reduced; 0, the default, says nothing.
        verbose: usize = 0,
        /// Whether the figure should fall or rise; by its name by default.
        mode: Mode = Mode::Auto,
        /// Changes below this do not count as better; 1e-4 by default.
        min_delta: f64 = 1e-4,
        /// Epochs after a reduction in which patience does not run; none by default.
        cooldown: usize = 0,
        /// The rate does not go below this; 0 by default.
        min_lr: f64 = 0.0,
    }
}

/// What has been so far.
#[derive(Default)]
pub struct State {
    output: Output,
    best: Option<f64>,
    wait: usize,
    cooldown_counter: usize,
}

impl ReduceLROnPlateau {
    sink_setter!();

    /// The rate after an epoch with that figure.
    fn epoch(&mut self, current: f64, rate: f32) -> f32 {
        if self.run.cooldown_counter > 0 {
            self.run.cooldown_counter -= 1;
            self.run.wait = 0;
        }
        if self.mode.is_improvement(&self.monitor, self.min_delta, current, self.run.best) {
            (self.run.best, self.run.wait) = (Some(current), 0);
            return rate;
        }
        if self.run.cooldown_counter > 0 {
            return rate;
        }
        self.run.wait += 1;
        if self.run.wait < self.patience || rate <= self.min_lr as f32 {
            return rate;
        }
        (self.run.cooldown_counter, self.run.wait) = (self.cooldown, 0);
        (f64::from(rate) * self.factor).max(self.min_lr) as f32
    }
}

/// Refuses models whose learning rate follows a schedule: what a callback sets would be overwritten at the next step.
pub(super) fn check_settable(model: &Model, callback: &str) -> Result<()> {
    match model.optimizer_state_ref() {
        Some(state) if !state.has_learning_rate_variable() => {
            let message = "the optimizer's learning rate follows a schedule, so a callback cannot set it; give the optimizer a plain number";
            Err(Error::argument(callback, message))
        }
        _ => Ok(()),
    }
}

impl Callback for ReduceLROnPlateau {
    fn name(&self) -> &'static str {
        "ReduceLROnPlateau"
    }

    fn monitors(&self) -> Option<&str> {
        Some(&self.monitor)
    }

    fn check(&self) -> Result<()> {
        Ok(self.check_ranges()?)
    }

    fn on_train_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.mode.settle(&self.monitor, context.model);
        check_settable(context.model, self.name())
    }

    fn on_epoch_end(&mut self, context: &mut Context<'_>, logs: &EpochLogs) -> Result<Action> {
        let (Some(current), Some(state)) = (logs.get(&self.monitor), context.model.optimizer_state_mut()) else {
            return Ok(Action::Continue);
        };
        let rate = self.epoch(current, state.learning_rate);
        if rate != state.learning_rate {
            state.learning_rate = rate;
            self.run
                .output
                .say(self.verbose, &format!("Epoch {}: ReduceLROnPlateau reducing learning rate to {rate}.", context.epoch));
        }
        Ok(Action::Continue)
    }

    fn state(&self) -> Value {
        json!({ "best": self.run.best, "wait": self.run.wait, "cooldown": self.run.cooldown_counter })
    }

    fn restore(&mut self, state: &Value) {
        let count = |key: &str| state[key].as_u64().unwrap_or(0) as usize;
        self.run.best = state["best"].as_f64();
        (self.run.wait, self.run.cooldown_counter) = (count("wait"), count("cooldown"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(mut callback: ReduceLROnPlateau, figures: &[f64]) -> Vec<f32> {
        let mut rate = 1.0;
        figures
            .iter()
            .map(|&f| {
                rate = callback.epoch(f, rate);
                rate
            })
            .collect()
    }

    // Expected rates were found with keras.callbacks.ReduceLROnPlateau over the same figures.
    #[test]
    fn rates_are_keras() {
        let half = || ReduceLROnPlateau::new("val_loss").factor(0.5);
        assert_eq!(rates(half().patience(2), &[1.0, 1.0, 1.0, 1.0, 1.0]), [1.0, 1.0, 0.5, 0.5, 0.25]);
        assert_eq!(rates(half().patience(1).cooldown(2), &[1.0; 6]), [1.0, 0.5, 0.5, 0.25, 0.25, 0.125]);
        assert_eq!(rates(half().patience(1).min_lr(0.4), &[1.0; 4]), [1.0, 0.5, 0.4, 0.4]);
        assert_eq!(rates(half().patience(2), &[1.0, 0.99995, 0.9999, 0.5, 0.6, 0.6]), [1.0, 1.0, 0.5, 0.5, 0.5, 0.25]);
        assert_eq!(rates(half().patience(0), &[1.0, 1.0]), [1.0, 0.5]);
    }

    #[test]
    fn a_factor_of_one_reduces_nothing() {
        let message = ReduceLROnPlateau::new("loss").factor(1.0).check().unwrap_err().to_string();
        assert_eq!(message, "ReduceLROnPlateau: factor must be a number from 0 to below 1, got 1");
    }

    #[test]
    fn patience_survives() {
        let mut c = ReduceLROnPlateau::new("loss").patience(2).factor(0.5);
        c.epoch(1.0, 1.0);
        c.epoch(1.0, 1.0);
        let mut other = ReduceLROnPlateau::new("loss").patience(2).factor(0.5);
        other.restore(&c.state());
        assert_eq!(other.epoch(1.0, 1.0), 0.5);
    }
}
