//! `EarlyStopping`: ends training when a figure no longer gets better.
//!
//! As Keras' `callbacks/early_stopping.py`.

use super::monitor::{Monitor, monitor_setters};
use super::output::{Messages, message_setters};
use super::snapshot::Snapshot;
use super::{Action, Callback, Context, EpochLogs};
use crate::error::Result;
use serde_json::{Value, json};

/// Ends training when a figure has not become better for `patience` epochs.
///
/// With `restore_best_weights` the weights of the best epoch are put back however training ends: by this callback, by another, at the
/// last epoch or with an error.
pub struct EarlyStopping {
    monitor: Monitor,
    patience: usize,
    baseline: Option<f64>,
    restore_best_weights: bool,
    start_from_epoch: usize,
    messages: Messages,
    wait: usize,
    best: Option<f64>,
    /// From 0.
    best_epoch: usize,
    best_weights: Option<Snapshot>,
    stopped_epoch: Option<usize>,
}

impl EarlyStopping {
    /// Stops at the first epoch that is not better (patience 0, `min_delta` 0).
    pub fn new(monitor: impl Into<String>) -> EarlyStopping {
        EarlyStopping {
            monitor: Monitor::new(monitor),
            patience: 0,
            baseline: None,
            restore_best_weights: false,
            start_from_epoch: 0,
            messages: Messages::default(),
            wait: 0,
            best: None,
            best_epoch: 0,
            best_weights: None,
            stopped_epoch: None,
        }
    }

    /// Patience starts anew only with figures better than this.
    #[must_use]
    pub fn baseline(mut self, baseline: f64) -> Self {
        self.baseline = Some(baseline);
        self
    }

    /// Put the weights of the best epoch back when training ends.
    #[must_use]
    pub fn restore_best_weights(mut self, restore: bool) -> Self {
        self.restore_best_weights = restore;
        self
    }

    /// Epochs at the start that are not looked at.
    #[must_use]
    pub fn start_from_epoch(mut self, epoch: usize) -> Self {
        self.start_from_epoch = epoch;
        self
    }

    monitor_setters!(mode, min_delta, patience);
    message_setters!("1 says when training is stopped and weights are put back.");

    /// What an epoch (from 0) with that figure asks for; `keep` sets the weights aside.
    fn epoch(&mut self, epoch: usize, current: f64, mut keep: impl FnMut(&mut Option<Snapshot>)) -> Action {
        if epoch < self.start_from_epoch {
            return Action::Continue;
        }
        if self.restore_best_weights && self.best_weights.is_none() {
            keep(&mut self.best_weights);
            self.best_epoch = epoch;
        }
        self.wait += 1;
        if self.monitor.is_improvement(current, self.best) {
            (self.best, self.best_epoch) = (Some(current), epoch);
            if self.restore_best_weights {
                keep(&mut self.best_weights);
            }
            if self.baseline.is_none() || self.monitor.is_improvement(current, self.baseline) {
                self.wait = 0;
            }
            return Action::Continue;
        }
        // Keras never stops after the very first epoch.
        if self.wait >= self.patience && epoch > 0 {
            self.stopped_epoch = Some(epoch);
            return Action::Stop;
        }
        Action::Continue
    }
}

impl Callback for EarlyStopping {
    fn name(&self) -> &'static str {
        "EarlyStopping"
    }

    fn monitors(&self) -> Option<&str> {
        Some(&self.monitor.name)
    }

    fn on_train_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.monitor.settle(context.model);
        Ok(())
    }

    fn on_epoch_end(&mut self, context: &mut Context<'_>, logs: &EpochLogs) -> Result<Action> {
        let Some(current) = logs.get(&self.monitor.name) else { return Ok(Action::Continue) };
        let model = &*context.model;
        Ok(self.epoch(context.epoch - 1, current, |kept| match kept {
            Some(kept) => kept.retake(model),
            None => *kept = Some(Snapshot::take(model)),
        }))
    }

    fn on_train_end(&mut self, context: &mut Context<'_>) -> Result<()> {
        if let Some(epoch) = self.stopped_epoch {
            self.messages.say(&format!("Epoch {}: early stopping", epoch + 1));
        }
        let Some(best) = &self.best_weights else { return Ok(()) };
        if best.put(context.model) {
            self.messages.say(&format!("Restoring model weights from the end of the best epoch: {}.", self.best_epoch + 1));
        }
        Ok(())
    }

    fn has_stopped(&self) -> bool {
        self.stopped_epoch.is_some()
    }

    fn state(&self) -> Value {
        let weights = self.best_weights.as_ref().map(Snapshot::to_json);
        let stopped = self.stopped_epoch;
        json!({ "wait": self.wait, "best": self.best, "best_epoch": self.best_epoch, "best_weights": weights, "stopped_epoch": stopped })
    }

    fn restore(&mut self, state: &Value) {
        let count = |key: &str| state[key].as_u64().unwrap_or(0) as usize;
        (self.wait, self.best_epoch) = (count("wait"), count("best_epoch"));
        self.best = state["best"].as_f64();
        self.stopped_epoch = state["stopped_epoch"].as_u64().and_then(|epoch| usize::try_from(epoch).ok());
        self.best_weights = Snapshot::from_json(&state["best_weights"]).filter(|_| self.restore_best_weights);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callbacks::Mode;

    /// Epochs (from 0) after which training ends, if it does.
    fn stops(mut callback: EarlyStopping, figures: &[f64]) -> Option<usize> {
        figures.iter().enumerate().position(|(epoch, &f)| callback.epoch(epoch, f, |_| {}) == Action::Stop)
    }

    fn loss() -> EarlyStopping {
        EarlyStopping::new("val_loss")
    }

    // Expected epochs were found with keras.callbacks.EarlyStopping over the same figures.
    #[test]
    fn stops_where_keras_does() {
        assert_eq!(stops(loss(), &[1.0, 0.9, 0.95, 0.8]), Some(2));
        assert_eq!(stops(loss().patience(1), &[1.0, 0.9, 0.95, 0.8]), Some(2));
        assert_eq!(stops(loss().patience(2), &[1.0, 0.9, 0.95, 0.8, 0.85, 0.85]), Some(5));
        assert_eq!(stops(loss().patience(2), &[1.0, 0.9, 0.8, 0.7]), None);
        assert_eq!(stops(loss().min_delta(0.1), &[1.0, 0.875, 0.8125]), Some(2));
        assert_eq!(stops(EarlyStopping::new("accuracy"), &[0.1, 0.2, 0.15]), Some(2));
        assert_eq!(stops(EarlyStopping::new("accuracy").mode(Mode::Min), &[0.1, 0.2]), Some(1));
        assert_eq!(stops(loss().start_from_epoch(2), &[1.0, 2.0, 3.0, 4.0]), Some(3));
        assert_eq!(stops(loss().baseline(0.5).patience(1), &[1.0, 0.9, 0.8, 0.9]), Some(3));
        assert_eq!(stops(loss().baseline(0.5).patience(3), &[1.0, 0.9, 0.4, 0.5, 0.6, 0.7]), Some(5));
    }

    #[test]
    fn messages_and_state() {
        let mut c = loss().patience(4);
        c.epoch(0, 0.5, |_| {});
        c.epoch(1, 0.75, |_| {});
        let state = c.state();
        assert_eq!(state, json!({ "wait": 1, "best": 0.5, "best_epoch": 0, "best_weights": null, "stopped_epoch": null }));
        let mut other = loss().patience(2);
        other.restore(&state);
        assert!(!other.has_stopped());
        assert_eq!(other.epoch(2, 0.6, |_| {}), Action::Stop);
        // Killed right after this epoch's backup, a training does not go on with another epoch.
        let mut resumed = loss().patience(2);
        resumed.restore(&other.state());
        assert!(resumed.has_stopped());
    }
}
