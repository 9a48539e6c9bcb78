//! Which figure a callback watches, and when it has become better.
//!
//! As Keras' `MonitorCallback` (`callbacks/monitor_callback.py`).

use super::Callback;
use crate::error::{Error, Result};
use maobi_nn::{Model, words};

words! {
    /// Whether a figure should fall or rise.
    pub enum Mode {
        /// By its name and the model's metrics: accuracies and the like rise, all else falls.
        Auto = "auto",
        /// Smaller is better.
        Min = "min",
        /// Larger is better.
        Max = "max",
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

impl Mode {
    /// Looks the direction of a figure up among the model's metrics; by name alone where it is none of them.
    pub(super) fn settle(&mut self, monitor: &str, model: &Model) {
        if *self != Mode::Auto {
            return;
        }
        let figure = monitor.strip_prefix("val_").unwrap_or(monitor);
        let metrics = model.compiled().map(|how| how.metrics.as_slice()).unwrap_or_default();
        let outputs = model.output_names();
        let rises = metrics.iter().zip(&outputs).flat_map(|(list, output)| list.iter().map(move |m| (m, output))).find_map(
            |(metric, output)| {
                let known = figure == metric.name()
                    || figure.strip_prefix(*output).and_then(|f| f.strip_prefix('_')) == Some(metric.name());
                known.then(|| metric.larger_is_better())
            },
        );
        *self = if rises.unwrap_or_else(|| self.rises(monitor)) { Mode::Max } else { Mode::Min };
    }

    fn rises(self, monitor: &str) -> bool {
        match self {
            Mode::Min => false,
            Mode::Max => true,
            Mode::Auto => {
                let name = monitor.to_lowercase();
                RISING.iter().any(|part| name.contains(part))
            }
        }
    }

    /// Whether `current` is better than `reference` by more than `min_delta`; anything is better than nothing, except NaN, which
    /// never is (Keras would keep a first NaN as best for ever).
    pub(super) fn is_improvement(self, monitor: &str, min_delta: f64, current: f64, reference: Option<f64>) -> bool {
        let delta = min_delta.abs();
        match reference {
            None => !current.is_nan(),
            Some(best) if self.rises(monitor) => current - delta > best,
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
        Mode::Auto.rises(name)
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
        assert!(!Mode::Min.rises("accuracy") && Mode::Max.rises("loss"));
    }

    #[test]
    fn a_change_has_to_exceed_min_delta() {
        let falling = |current, reference| Mode::Auto.is_improvement("loss", 0.125, current, reference);
        assert!(falling(9.0, None));
        assert!(falling(0.75, Some(1.0)));
        assert!(!falling(0.875, Some(1.0)));
        let rising = |current, reference| Mode::Auto.is_improvement("accuracy", -0.125, current, reference);
        assert!(rising(0.75, Some(0.5)));
        assert!(!rising(0.625, Some(0.5)));
        assert!(!rising(f64::NAN, Some(0.5)) && !rising(f64::NAN, None));
    }
}
