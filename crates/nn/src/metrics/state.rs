//! Summing a metric up.

use super::{Metric, Rows};
use crate::exact;
use crate::losses::{LossError, Target};
use serde_json::{Value, json};

/// The sums of one metric over an epoch.
#[derive(Clone, Debug)]
pub struct MetricState {
    metric: Metric,
    sums: Vec<f64>,
}

impl MetricState {
    /// Empty sums for predictions of `cols` columns.
    pub fn new(metric: &Metric, cols: usize) -> MetricState {
        MetricState { metric: metric.clone(), sums: vec![0.0; metric.function().sums(cols)] }
    }

    /// The name in logs.
    pub fn name(&self) -> &str {
        self.metric.name()
    }

    /// What is measured.
    pub fn metric(&self) -> &Metric {
        &self.metric
    }

    /// Adds rows. Allocates nothing.
    ///
    /// `prediction` is the model's output, `[rows, cols]`; `sample_weight`, `[rows]`, is 1 each when absent.
    ///
    /// # Errors
    /// [`LossError`] when a slice has the wrong length or a label is no class. What was added before the error stays.
    pub fn update(
        &mut self,
        rows: usize,
        cols: usize,
        prediction: &[f32],
        target: Target<'_>,
        sample_weight: Option<&[f32]>,
    ) -> Result<(), LossError> {
        let batch = Rows { rows, cols, prediction, target, sample_weight };
        self.check(&batch)?;
        self.metric.function().add(&mut self.sums, &batch)
    }

    /// The figure so far; 0 before the first row.
    pub fn result(&self) -> f64 {
        self.metric.function().result(&self.sums)
    }

    /// The figures of the columns where the metric has them (F1), else [`MetricState::result`] alone.
    pub fn results(&self) -> Vec<f64> {
        self.metric.function().results(&self.sums)
    }

    /// Forgets every row.
    pub fn reset(&mut self) {
        self.sums.fill(0.0);
    }

    /// The sums as JSON, exactly: a backup's text for [`MetricState::restore`].
    pub fn state(&self) -> Value {
        json!({ "metric": self.name(), "sums": exact::to_json(&self.sums) })
    }

    /// Takes back what [`MetricState::state`] gave. `false`, with the sums as they were, when that was another metric's or is damaged.
    pub fn restore(&mut self, state: &Value) -> bool {
        let Some(sums) = exact::from_json(&state["sums"], self.sums.len()) else { return false };
        let own = state["metric"] == self.name();
        if own {
            self.sums = sums;
        }
        own
    }

    fn check(&self, batch: &Rows<'_>) -> Result<(), LossError> {
        let owner = self.metric.function().default_name();
        let (rows, cols) = (batch.rows, batch.cols);
        // Words are made for an error only: a step allocates nothing.
        let (got, expected) = (batch.prediction.len(), rows * cols);
        if got != expected {
            let shape = format!("{rows} rows of {cols} columns");
            return Err(LossError::Length { loss: owner, what: "the prediction", expected, shape, got });
        }
        let got = batch.sample_weight.map_or(rows, <[f32]>::len);
        if got != rows {
            let shape = format!("{rows} rows");
            return Err(LossError::Length { loss: owner, what: "the sample weight", expected: rows, shape, got });
        }
        let labels = self.metric.function().labels(batch);
        batch.target.check(owner, rows, cols, labels)
    }
}
