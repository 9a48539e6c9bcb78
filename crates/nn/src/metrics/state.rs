//! Summing a metric up.

use super::auc::Buckets;
use super::counts::{Counts, Rows};
use super::{Average, Metric, MetricKind, rows};
use crate::exact;
use crate::losses::{LossBatch, LossError, Source, Target};
use serde_json::{Value, json};

/// The sums of one metric over an epoch.
#[derive(Clone, Debug)]
pub struct MetricState {
    metric: Metric,
    sums: Sums,
}

#[derive(Clone, Debug)]
enum Sums {
    /// A weighted mean over rows.
    Mean {
        total: f64,
        count: f64,
    },
    Counts(Counts),
    Buckets(Buckets),
}

impl Sums {
    fn each(&self, mut see: impl FnMut(f64)) {
        match self {
            Sums::Mean { total, count } => [*total, *count].into_iter().for_each(see),
            Sums::Counts(counts) => counts.numbers().into_iter().flatten().for_each(|n| see(*n)),
            Sums::Buckets(buckets) => buckets.numbers().into_iter().flatten().for_each(|n| see(*n)),
        }
    }

    /// The numbers in the order of [`Sums::each`], to change.
    fn each_mut(&mut self, change: impl FnMut(&mut f64)) {
        match self {
            Sums::Mean { total, count } => [total, count].into_iter().for_each(change),
            Sums::Counts(counts) => counts.numbers_mut().into_iter().flatten().for_each(change),
            Sums::Buckets(buckets) => buckets.numbers_mut().into_iter().flatten().for_each(change),
        }
    }
}

impl MetricState {
    /// Empty sums for predictions of `cols` columns.
    pub fn new(metric: &Metric, cols: usize) -> MetricState {
        let sums = match &metric.kind {
            MetricKind::Precision(_) | MetricKind::Recall(_) => Sums::Counts(Counts::new(1)),
            MetricKind::F1Score { average: Some(Average::Micro), .. } => Sums::Counts(Counts::new(1)),
            MetricKind::F1Score { .. } => Sums::Counts(Counts::new(cols.max(1))),
            MetricKind::Auc(auc) => Sums::Buckets(Buckets::new(auc.num_thresholds.max(2))),
            _ => Sums::Mean { total: 0.0, count: 0.0 },
        };
        MetricState { metric: metric.clone(), sums }
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
        match (&mut self.sums, &self.metric.kind) {
            (Sums::Counts(counts), MetricKind::Precision(positives) | MetricKind::Recall(positives)) => {
                counts.add_positives(&batch, *positives)
            }
            (Sums::Counts(counts), MetricKind::F1Score { threshold, .. }) => counts.add_f1(&batch, *threshold),
            (Sums::Buckets(buckets), MetricKind::Auc(auc)) => buckets.add(&batch, auc),
            (Sums::Mean { total, count }, kind) => {
                let (sum, weight) = mean_of(kind, &batch)?;
                *total += sum;
                *count += weight;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The figure so far; 0 before the first row.
    pub fn result(&self) -> f64 {
        match (&self.sums, &self.metric.kind) {
            (Sums::Mean { total, count }, _) => {
                if *count == 0.0 {
                    0.0
                } else {
                    total / count
                }
            }
            (Sums::Counts(counts), MetricKind::Recall(_)) => counts.recall(),
            (Sums::Counts(counts), MetricKind::F1Score { average, .. }) => counts.f1_average(*average),
            (Sums::Counts(counts), _) => counts.precision(),
            (Sums::Buckets(buckets), MetricKind::Auc(auc)) => buckets.area(auc),
            (Sums::Buckets(_), _) => 0.0,
        }
    }

    /// The figures of the columns where the metric has them (F1), else [`MetricState::result`] alone.
    pub fn results(&self) -> Vec<f64> {
        match (&self.sums, &self.metric.kind) {
            (Sums::Counts(counts), MetricKind::F1Score { average: None, .. }) => {
                (0..counts.columns()).map(|column| counts.f1(column)).collect()
            }
            _ => vec![self.result()],
        }
    }

    /// Forgets every row.
    pub fn reset(&mut self) {
        self.sums.each_mut(|number| *number = 0.0);
    }

    /// The sums as JSON, exactly: a backup's text for [`MetricState::restore`].
    pub fn state(&self) -> Value {
        let mut numbers = Vec::new();
        self.sums.each(|number| numbers.push(number));
        json!({ "metric": self.name(), "sums": exact::to_json(&numbers) })
    }

    /// Takes back what [`MetricState::state`] gave. `false`, with the sums as they were, when that was another metric's or is damaged.
    pub fn restore(&mut self, state: &Value) -> bool {
        let mut length = 0;
        self.sums.each(|_| length += 1);
        let Some(numbers) = exact::from_json(&state["sums"], length) else { return false };
        let own = state["metric"] == self.name();
        if own {
            let mut numbers = numbers.into_iter();
            self.sums.each_mut(|number| *number = numbers.next().unwrap_or_default());
        }
        own
    }

    fn check(&self, batch: &Rows<'_>) -> Result<(), LossError> {
        let owner = self.metric.kind.default_name();
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
        let sparse = match &self.metric.kind {
            MetricKind::SparseCategoricalAccuracy | MetricKind::SparseTopKCategoricalAccuracy { .. } => true,
            // Decided by the target itself.
            MetricKind::Accuracy => matches!(batch.target, Target::Values(values) if values.len() == rows),
            MetricKind::Loss(loss) => loss.takes_classes(),
            _ => false,
        };
        batch.target.check(owner, rows, cols, sparse)
    }
}

/// Σ weight·figure and Σ weight of the rows.
fn mean_of(kind: &MetricKind, batch: &Rows<'_>) -> Result<(f64, f64), LossError> {
    let (rows, cols) = (batch.rows, batch.cols);
    let count = (0..rows).map(|row| batch.weight(row)).sum();
    if let MetricKind::Loss(loss) = kind {
        let batch = LossBatch {
            source: Source::Probabilities,
            rows,
            cols,
            prediction: batch.prediction,
            target: batch.target,
            sample_weight: batch.sample_weight,
            denominator: rows as f32,
            first_row: 0,
        };
        return Ok((loss.evaluate(&batch, None, None)?, count));
    }
    let mut sum = 0.0;
    for row in 0..rows {
        let p = batch.prediction(row);
        let class = || rows::class(&batch.target, row, rows, cols);
        let figure = match *kind {
            MetricKind::SparseCategoricalAccuracy => rows::hit(batch.target.label(row), p),
            MetricKind::SparseTopKCategoricalAccuracy { k } => rows::in_top_k(batch.target.label(row), p, k),
            MetricKind::TopKCategoricalAccuracy { k } => rows::in_top_k(class(), p, k),
            MetricKind::BinaryAccuracy { threshold } => binary(batch, row, threshold)?,
            MetricKind::Accuracy if cols == 1 => binary(batch, row, 0.5)?,
            _ => rows::hit(class(), p),
        };
        sum += f64::from(figure) * batch.weight(row);
    }
    Ok((sum, count))
}

fn binary(batch: &Rows<'_>, row: usize, threshold: f32) -> Result<f32, LossError> {
    let truth = batch.target.row(row, batch.cols, 0)?;
    Ok(rows::binary_hits(|column| truth.value(column, batch.cols), batch.prediction(row), threshold))
}
