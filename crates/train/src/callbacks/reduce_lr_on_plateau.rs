//! `ReduceLROnPlateau`: a smaller learning rate when a figure no longer gets better.
//!
//! As Keras' `callbacks/reduce_lr_on_plateau.py`.

use super::monitor::{Monitor, monitor_setters};
use super::output::{Messages, message_setters};
use super::{Action, Callback, Context, EpochLogs};
use crate::error::{Error, Result};
use maobi_nn::Model;
use serde_json::{Value, json};

/// Multiplies the learning rate by `factor` when a figure has not become better for `patience` epochs.
pub struct ReduceLROnPlateau {
    monitor: Monitor,
    factor: f64,
    patience: usize,
    cooldown: usize,
    min_lr: f64,
    messages: Messages,
    best: Option<f64>,
    wait: usize,
    cooldown_counter: usize,
}

impl ReduceLROnPlateau {
    /// Keras' defaults: factor 0.1, patience 10, `min_delta` 1e-4, no cooldown, no lower limit.
    pub fn new(monitor: impl Into<String>) -> ReduceLROnPlateau {
        ReduceLROnPlateau {
            monitor: Monitor { min_delta: 1e-4, ..Monitor::new(monitor) },
            factor: 0.1,
            patience: 10,
            cooldown: 0,
            min_lr: 0.0,
            messages: Messages::default(),
            best: None,
            wait: 0,
            cooldown_counter: 0,
        }
    }

    /// What the rate is multiplied by, below 1.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Epochs after a reduction in which patience does not run.
    #[must_use]
    pub fn cooldown(mut self, epochs: usize) -> Self {
        self.cooldown = epochs;
        self
    }

    /// The rate does not go below this.
    #[must_use]
    pub fn min_lr(mut self, rate: f64) -> Self {
        self.min_lr = rate;
        self
    }

    monitor_setters!(mode, min_delta, patience);
    message_setters!("1 says when the rate is reduced.");

    pub(super) fn check(&self) -> Result<()> {
        if !(0.0..1.0).contains(&self.factor) {
            return Err(Error::argument("factor", format!("expected 0 to below 1, got {}", self.factor)));
        }
        Ok(())
    }

    /// The rate after an epoch with that figure.
    fn epoch(&mut self, current: f64, rate: f32) -> f32 {
        if self.cooldown_counter > 0 {
            self.cooldown_counter -= 1;
            self.wait = 0;
        }
        if self.monitor.is_improvement(current, self.best) {
            (self.best, self.wait) = (Some(current), 0);
            return rate;
        }
        if self.cooldown_counter > 0 {
            return rate;
        }
        self.wait += 1;
        if self.wait < self.patience || rate <= self.min_lr as f32 {
            return rate;
        }
        (self.cooldown_counter, self.wait) = (self.cooldown, 0);
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
        Some(&self.monitor.name)
    }

    fn on_train_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.check()?;
        self.monitor.settle(context.model);
        check_settable(context.model, self.name())
    }

    fn on_epoch_end(&mut self, context: &mut Context<'_>, logs: &EpochLogs) -> Result<Action> {
        let (Some(current), Some(state)) = (logs.get(&self.monitor.name), context.model.optimizer_state_mut()) else {
            return Ok(Action::Continue);
        };
        let rate = self.epoch(current, state.learning_rate);
        if rate != state.learning_rate {
            state.learning_rate = rate;
            self.messages.say(&format!("Epoch {}: ReduceLROnPlateau reducing learning rate to {rate}.", context.epoch));
        }
        Ok(Action::Continue)
    }

    fn state(&self) -> Value {
        json!({ "best": self.best, "wait": self.wait, "cooldown": self.cooldown_counter })
    }

    fn restore(&mut self, state: &Value) {
        let count = |key: &str| state[key].as_u64().unwrap_or(0) as usize;
        self.best = state["best"].as_f64();
        (self.wait, self.cooldown_counter) = (count("wait"), count("cooldown"));
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
        assert_eq!(message, "factor: expected 0 to below 1, got 1");
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
