//! Which figure a callback watches, and when it has become better.
//!
//! As Keras' `MonitorCallback` (`callbacks/monitor_callback.py`).

use super::Callback;
use crate::error::{Error, Result};
use maobi_nn::Model;

/// Whether a figure should fall or rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// By its name and the model's metrics: accuracies and the like rise, all else falls.
    #[default]
    Auto,
    /// Smaller is better.
    Min,
    /// Larger is better.
    Max,
}

impl Mode {
    /// Keras' name of a mode.
    ///
    /// # Errors
    /// Any other name than `auto`, `min` and `max`.
    pub fn parse(text: &str) -> Result<Mode> {
        match text {
            "auto" => Ok(Mode::Auto),
            "min" => Ok(Mode::Min),
            "max" => Ok(Mode::Max),
            other => Err(Error::argument("mode", format!("expected \"auto\", \"min\" or \"max\", got \"{other}\""))),
        }
    }
}

/// Parts of names whose figures are better when larger.
const RISING: [&str; 14] = [
    "acc",
    "auc",
    "precision",
    "recall",
    "f1",
    "fbeta",
    "f_score",
    "top_k",
    "top-k",
    "sensitivity",
    "specificity",
    "iou",
    "r2_score",
    "true_",
];

/// A figure with its direction and the change that counts.
#[derive(Clone, Debug)]
pub(super) struct Monitor {
    pub(super) name: String,
    pub(super) mode: Mode,
    pub(super) min_delta: f64,
    pub(super) rises: Option<bool>,
}

/// The setters of a callback with a `monitor`, those that are named.
macro_rules! monitor_setters {
    ($($option:ident),+) => {
        $(super::monitor::monitor_setters!(@ $option);)+
    };
    (@ mode) => {
        /// Whether the figure should fall or rise.
        #[must_use]
        pub fn mode(mut self, mode: super::monitor::Mode) -> Self {
            self.monitor.mode = mode;
            self
        }
    };
    (@ min_delta) => {
        /// Changes below this do not count as better.
        #[must_use]
        pub fn min_delta(mut self, min_delta: f64) -> Self {
            self.monitor.min_delta = min_delta;
            self
        }
    };
    (@ patience) => {
        /// Epochs without a better figure that are waited for.
        #[must_use]
        pub fn patience(mut self, epochs: usize) -> Self {
            self.patience = epochs;
            self
        }
    };
}
pub(super) use monitor_setters;

impl Monitor {
    pub(super) fn new(name: impl Into<String>) -> Monitor {
        Monitor { name: name.into(), mode: Mode::Auto, min_delta: 0.0, rises: None }
    }

    /// Looks the direction up among the model's metrics; by name alone where it is none of them.
    pub(super) fn settle(&mut self, model: &Model) {
        let figure = self.name.strip_prefix("val_").unwrap_or(&self.name);
        let metrics = model.compiled().map(|how| how.metrics.as_slice()).unwrap_or_default();
        let outputs = model.output_names();
        self.rises = metrics.iter().zip(&outputs).flat_map(|(list, output)| list.iter().map(move |m| (m, output))).find_map(
            |(metric, output)| {
                let known = figure == metric.name()
                    || figure.strip_prefix(*output).and_then(|f| f.strip_prefix('_')) == Some(metric.name());
                known.then(|| metric.larger_is_better())
            },
        );
    }

    fn rises(&self) -> bool {
        match self.mode {
            Mode::Min => false,
            Mode::Max => true,
            Mode::Auto => self.rises.unwrap_or_else(|| {
                let name = self.name.to_lowercase();
                RISING.iter().any(|part| name.contains(part))
            }),
        }
    }

    /// Whether `current` is better than `reference` by more than `min_delta`; anything is better than nothing, except NaN, which
    /// never is (Keras would keep a first NaN as best for ever).
    pub(super) fn is_improvement(&self, current: f64, reference: Option<f64>) -> bool {
        let delta = self.min_delta.abs();
        match reference {
            None => !current.is_nan(),
            Some(best) if self.rises() => current - delta > best,
            Some(best) => current + delta < best,
        }
    }
}

/// Names of the figures of an epoch's logs.
pub(crate) fn figures(logs: &[(String, f64)], validates: bool) -> Vec<String> {
    let mut known: Vec<String> = logs.iter().map(|(name, _)| name.clone()).collect();
    if validates {
        known.extend(logs.iter().map(|(name, _)| format!("val_{name}")));
    }
    known.push("learning_rate".into());
    known
}

/// Checks that a callback watches one of the figures.
pub(crate) fn check_monitor(callback: &dyn Callback, known: &[String], validates: bool) -> Result<()> {
    let Some(monitor) = callback.monitors() else { return Ok(()) };
    if known.iter().any(|k| k == monitor) {
        return Ok(());
    }
    let hint = if monitor.starts_with("val_") && !validates { "; there is no validation data in this run" } else { "" };
    Err(Error::argument(
        callback.name(),
        format!("monitor \"{monitor}\" is not among the figures of this run, which are {}{hint}", known.join(", ")),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rises(name: &str) -> bool {
        Monitor::new(name).rises()
    }

    #[test]
    fn directions_by_name() {
        for name in
            ["accuracy", "val_accuracy", "val_sparse_categorical_accuracy", "acc", "auc", "precision", "val_recall", "f1_score"]
        {
            assert!(rises(name), "{name}");
        }
        for name in ["loss", "val_loss", "digit_loss", "mean_squared_error", "learning_rate"] {
            assert!(!rises(name), "{name}");
        }
        assert!(!Monitor { mode: Mode::Min, ..Monitor::new("accuracy") }.rises());
        assert!(Monitor { mode: Mode::Max, ..Monitor::new("loss") }.rises());
    }

    #[test]
    fn a_change_has_to_exceed_min_delta() {
        let falling = Monitor { min_delta: 0.125, ..Monitor::new("loss") };
        assert!(falling.is_improvement(9.0, None));
        assert!(falling.is_improvement(0.75, Some(1.0)));
        assert!(!falling.is_improvement(0.875, Some(1.0)));
        let rising = Monitor { min_delta: -0.125, ..Monitor::new("accuracy") };
        assert!(rising.is_improvement(0.75, Some(0.5)));
        assert!(!rising.is_improvement(0.625, Some(0.5)));
        assert!(!rising.is_improvement(f64::NAN, Some(0.5)) && !rising.is_improvement(f64::NAN, None));
    }

    #[test]
    fn modes_have_names() {
        assert_eq!(Mode::parse("max").unwrap(), Mode::Max);
        assert_eq!(Mode::parse("up").unwrap_err().to_string(), "mode: expected \"auto\", \"min\" or \"max\", got \"up\"");
    }
}
