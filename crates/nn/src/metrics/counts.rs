//! True and false positives and negatives: precision, recall, F1.

use super::{Average, Positives, rows};
use crate::losses::{LossError, Target};

/// Keras' `backend.epsilon()`, which F1 adds to its divisors.
const EPSILON: f64 = 1e-7;

/// Weighted counts, of each column or of all together.
#[derive(Clone, Debug)]
pub(super) struct Counts {
    true_positives: Vec<f64>,
    false_positives: Vec<f64>,
    false_negatives: Vec<f64>,
}

/// The rows of one update.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) prediction: &'a [f32],
    pub(super) target: Target<'a>,
    pub(super) sample_weight: Option<&'a [f32]>,
}

impl Rows<'_> {
    pub(super) fn weight(&self, row: usize) -> f64 {
        self.sample_weight.map_or(1.0, |weights| f64::from(weights[row]))
    }

    pub(super) fn prediction(&self, row: usize) -> &[f32] {
        &self.prediction[row * self.cols..(row + 1) * self.cols]
    }
}

impl Counts {
    pub(super) fn new(columns: usize) -> Counts {
        let zeros = vec![0.0; columns];
        Counts { true_positives: zeros.clone(), false_positives: zeros.clone(), false_negatives: zeros }
    }

    pub(super) fn numbers(&self) -> [&[f64]; 3] {
        [&self.true_positives, &self.false_positives, &self.false_negatives]
    }

    pub(super) fn numbers_mut(&mut self) -> [&mut [f64]; 3] {
        [&mut self.true_positives, &mut self.false_positives, &mut self.false_negatives]
    }

    /// Counts for precision and recall; the truth of a value is whether it is not 0.
    pub(super) fn add_positives(&mut self, batch: &Rows<'_>, positives: Positives) -> Result<(), LossError> {
        // Keras uses −1e10 as "no threshold" beside top_k, and pushes the other columns down to it.
        let threshold = positives.threshold.unwrap_or(if positives.top_k.is_some() { -1e10 } else { 0.5 });
        let columns = match positives.class_id {
            Some(class) => class.min(batch.cols)..(class + 1).min(batch.cols),
            None => 0..batch.cols,
        };
        for row in 0..batch.rows {
            let truth = batch.target.row(row, batch.cols, 0)?;
            let (p, weight) = (batch.prediction(row), batch.weight(row));
            for column in columns.clone() {
                let allowed = positives.top_k.is_none_or(|k| rows::among_largest(p, column, k));
                self.add(0, truth.value(column, batch.cols) != 0.0, allowed && p[column] > threshold, weight);
            }
        }
        Ok(())
    }

    /// Counts for F1; without a threshold each row's largest values are positive, unless they are 0.
    pub(super) fn add_f1(&mut self, batch: &Rows<'_>, threshold: Option<f32>) -> Result<(), LossError> {
        let each = self.true_positives.len() > 1;
        for row in 0..batch.rows {
            let truth = batch.target.row(row, batch.cols, 0)?;
            let (p, weight) = (batch.prediction(row), batch.weight(row));
            let largest = p.iter().fold(f32::NEG_INFINITY, |m, v| m.max(*v));
            for (column, value) in p.iter().enumerate() {
                let positive = match threshold {
                    Some(threshold) => *value > threshold,
                    None => *value >= largest && value.abs() > 1e-9,
                };
                let index = if each { column } else { 0 };
                self.add(index, truth.value(column, batch.cols) != 0.0, positive, weight);
            }
        }
        Ok(())
    }

    fn add(&mut self, index: usize, truth: bool, positive: bool, weight: f64) {
        match (truth, positive) {
            (true, true) => self.true_positives[index] += weight,
            (false, true) => self.false_positives[index] += weight,
            (true, false) => self.false_negatives[index] += weight,
            (false, false) => {}
        }
    }

    pub(super) fn precision(&self) -> f64 {
        share(self.true_positives[0], self.false_positives[0])
    }

    pub(super) fn recall(&self) -> f64 {
        share(self.true_positives[0], self.false_negatives[0])
    }

    /// The F1 score of a column, with Keras' epsilons.
    pub(super) fn f1(&self, column: usize) -> f64 {
        let hits = self.true_positives[column];
        let precision = hits / (hits + self.false_positives[column] + EPSILON);
        let recall = hits / (hits + self.false_negatives[column] + EPSILON);
        2.0 * precision * recall / (precision + recall + EPSILON)
    }

    pub(super) fn f1_average(&self, average: Option<Average>) -> f64 {
        let columns = self.true_positives.len();
        if average == Some(Average::Weighted) {
            let positives = |column: usize| self.true_positives[column] + self.false_negatives[column];
            let total: f64 = (0..columns).map(positives).sum();
            return (0..columns).map(|column| self.f1(column) * positives(column)).sum::<f64>() / (total + EPSILON);
        }
        (0..columns).map(|column| self.f1(column)).sum::<f64>() / columns as f64
    }

    pub(super) fn columns(&self) -> usize {
        self.true_positives.len()
    }
}

/// hits / (hits + misses); 0 where there is nothing.
fn share(hits: f64, misses: f64) -> f64 {
    if hits + misses > 0.0 { hits / (hits + misses) } else { 0.0 }
}
