//! `EarlyStopping`: ends training when a figure no longer gets better.
//!
//! As Keras' `callbacks/early_stopping.py`.

use super::output::{Output, sink_setter};
use super::snapshot::Snapshot;
use super::{Action, Callback, Context, EpochLogs, Mode, Running};
use crate::error::Result;
use maobi_nn::keras_object;
use serde_json::{Value, json};

keras_object! {
    /// Ends training when a figure has not become better for `patience` epochs.
    ///
    /// With `restore_best_weights` the weights of the best epoch are put back however training ends: by this callback, by another, at
    /// the last epoch or with an error.
    pub struct EarlyStopping("early_stopping") with run: Running<State>, new(
        /// The figure that is watched; `val_loss` where a recipe does not say.
        monitor: String = "val_loss".into(),
    ) {
        /// Changes below this do not count as better; 0 by default.
        min_delta: f64 = 0.0,
        /// Epochs without a better figure that are waited for; 0 by default.
        patience: usize = 0,
        /// 1 says when training is stopped and weights are put back; 0, the default, says nothing.
        verbose: usize = 0,
        /// Whether the figure should fall or rise; by its name by default.
        mode: Mode = Mode::Auto,
        /// Patience starts anew only with figures better than this; any by default.
        baseline: Option<f64> = None,
        /// Whether the weights of the best epoch are put back when training ends; false by default.
        restore_best_weights: bool = false,
        /// Epochs at the start that are not looked at; none by default.
        start_from_epoch: usize = 0,
    }
}

/// What has been so far.
#[derive(Default)]
pub struct State {
    output: Output,
    wait: usize,
    best: Option<f64>,
    /// From 0.
    best_epoch: usize,
    best_weights: Option<Snapshot>,
    stopped_epoch: Option<usize>,
}

impl EarlyStopping {
    sink_setter!();

    fn is_improvement(&self, current: f64, reference: Option<f64>) -> bool {
        self.mode.is_improvement(&self.monitor, self.min_delta, current, reference)
    }

    /// What an epoch (from 0) with that figure asks for; `keep` sets the weights aside.
    fn epoch(&mut self, epoch: usize, current: f64, mut keep: impl FnMut(&mut Option<Snapshot>)) -> Action {
        if epoch < self.start_from_epoch {
            return Action::Continue;
        }
        if self.restore_best_weights && self.run.best_weights.is_none() {
            keep(&mut self.run.best_weights);
            self.run.best_epoch = epoch;
        }
        self.run.wait += 1;
        if self.is_improvement(current, self.run.best) {
            (self.run.best, self.run.best_epoch) = (Some(current), epoch);
            if self.restore_best_weights {
                keep(&mut self.run.best_weights);
            }
            if self.baseline.is_none() || self.is_improvement(current, self.baseline) {
                self.run.wait = 0;
            }
            return Action::Continue;
        }
        // Keras never stops after the very first epoch.
        if self.run.wait >= self.patience && epoch > 0 {
            self.run.stopped_epoch = Some(epoch);
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
        Some(&self.monitor)
    }

    fn on_train_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.mode.settle(&self.monitor, context.model);
        Ok(())
    }

    fn on_epoch_end(&mut self, context: &mut Context<'_>, logs: &EpochLogs) -> Result<Action> {
        let Some(current) = logs.get(&self.monitor) else { return Ok(Action::Continue) };
        let model = &*context.model;
        Ok(self.epoch(context.epoch - 1, current, |kept| match kept {
            Some(kept) => kept.retake(model),
            None => *kept = Some(Snapshot::take(model)),
        }))
    }

    fn on_train_end(&mut self, context: &mut Context<'_>) -> Result<()> {
        if let Some(epoch) = self.run.stopped_epoch {
            self.run.output.say(self.verbose, &format!("Epoch {}: early stopping", epoch + 1));
        }
        let Some(best) = &self.run.best_weights else { return Ok(()) };
        if best.put(context.model) {
            let epoch = self.run.best_epoch + 1;
            let text = format!("Restoring model weights from the end of the best epoch: {epoch}.");
            self.run.output.say(self.verbose, &text);
        }
        Ok(())
    }

    fn state(&self) -> Value {
        let weights = self.run.best_weights.as_ref().map(Snapshot::to_json);
        json!({ "wait": self.run.wait, "best": self.run.best, "best_epoch": self.run.best_epoch, "best_weights": weights })
    }

    fn restore(&mut self, state: &Value) {
        let count = |key: &str| state[key].as_u64().unwrap_or(0) as usize;
        (self.run.wait, self.run.best_epoch) = (count("wait"), count("best_epoch"));
        self.run.best = state["best"].as_f64();
        self.run.best_weights = Snapshot::from_json(&state["best_weights"]).filter(|_| self.restore_best_weights);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(state, json!({ "wait": 1, "best": 0.5, "best_epoch": 0, "best_weights": null }));
        let mut other = loss().patience(2);
        other.restore(&state);
        assert_eq!(other.epoch(2, 0.6, |_| {}), Action::Stop);
    }
}
