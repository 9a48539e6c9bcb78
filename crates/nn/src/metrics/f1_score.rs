//! `F1Score`: the harmonic mean of precision and recall (keras/src/metrics/f_score_metrics.py).

use super::counts::count;
use super::{MetricFunction, Rows};
use crate::keras_object;
use crate::losses::LossError;
use crate::object::{range, words};

/// Keras' `backend.epsilon()`, which F1 adds to its divisors.
const EPSILON: f64 = 1e-7;

words! {
    /// How the F1 scores of columns become one.
    pub enum Average {
        /// One score of the counts of all columns.
        Micro = "micro",
        /// The plain mean.
        Macro = "macro",
        /// The mean weighted by the columns' positives.
        Weighted = "weighted",
    }
}

keras_object! {
    /// Harmonic mean of precision and recall of each column, averaged.
    pub struct F1Score("f1_score") {
        /// How columns become one figure; if absent (Keras' default), the figure that is printed is their plain mean.
        average: Option<Average> = None,
        /// Values beyond it are positive, above 0 and at most 1; by default each row's largest is.
        threshold: Option<f32> where range::POSITIVE_SHARE = None,
    }
}

impl MetricFunction for F1Score {
    fn sums(&self, cols: usize) -> usize {
        if self.average == Some(Average::Micro) { 3 } else { 3 * cols.max(1) }
    }

    /// Without a threshold each row's largest values are positive, unless they are 0.
    fn add(&self, sums: &mut [f64], rows: &Rows<'_>) -> Result<(), LossError> {
        let each = sums.len() > 3;
        for row in 0..rows.rows {
            let truth = rows.truth(row)?;
            let (p, weight) = (rows.prediction(row), rows.weight(row));
            let largest = p.iter().fold(f32::NEG_INFINITY, |m, v| m.max(*v));
            for (column, value) in p.iter().enumerate() {
                let positive = match self.threshold {
                    Some(threshold) => *value > threshold,
                    None => *value >= largest && value.abs() > 1e-9,
                };
                let index = if each { column } else { 0 };
                count(sums, index, truth.value(column, rows.cols) != 0.0, positive, weight);
            }
        }
        Ok(())
    }

    fn result(&self, sums: &[f64]) -> f64 {
        let columns = sums.len() / 3;
        if self.average == Some(Average::Weighted) {
            let positives = |column: usize| sums[column] + sums[2 * columns + column];
            let total: f64 = (0..columns).map(positives).sum();
            return (0..columns).map(|column| f1(sums, column) * positives(column)).sum::<f64>() / (total + EPSILON);
        }
        (0..columns).map(|column| f1(sums, column)).sum::<f64>() / columns as f64
    }

    fn results(&self, sums: &[f64]) -> Vec<f64> {
        match self.average {
            None => (0..sums.len() / 3).map(|column| f1(sums, column)).collect(),
            Some(_) => vec![self.result(sums)],
        }
    }
}

/// The score of a column, with Keras' epsilons.
fn f1(sums: &[f64], column: usize) -> f64 {
    let third = sums.len() / 3;
    let hits = sums[column];
    let precision = hits / (hits + sums[third + column] + EPSILON);
    let recall = hits / (hits + sums[2 * third + column] + EPSILON);
    2.0 * precision * recall / (precision + recall + EPSILON)
}
