//! Area under the ROC or precision–recall curve, from counts at evenly spread thresholds (Keras' `AUC`).

use super::counts::Rows;
use super::{Auc, Curve, Summation};
use crate::losses::LossError;

/// Weights of the positives and negatives whose prediction falls between two thresholds.
#[derive(Clone, Debug)]
pub(super) struct Buckets {
    positives: Vec<f64>,
    negatives: Vec<f64>,
}

/// Counts at one threshold.
#[derive(Clone, Copy, Default)]
struct At {
    true_positives: f64,
    false_positives: f64,
}

impl Buckets {
    pub(super) fn new(thresholds: usize) -> Buckets {
        Buckets { positives: vec![0.0; thresholds], negatives: vec![0.0; thresholds] }
    }

    pub(super) fn numbers(&self) -> [&[f64]; 2] {
        [&self.positives, &self.negatives]
    }

    pub(super) fn numbers_mut(&mut self) -> [&mut [f64]; 2] {
        [&mut self.positives, &mut self.negatives]
    }

    pub(super) fn add(&mut self, batch: &Rows<'_>, auc: &Auc) -> Result<(), LossError> {
        let last = (self.positives.len() - 1) as f32;
        for row in 0..batch.rows {
            let truth = batch.target.row(row, batch.cols, 0)?;
            let weight = batch.weight(row);
            for (column, value) in batch.prediction(row).iter().enumerate() {
                let value = if auc.from_logits { 1.0 / (1.0 + (-value).exp()) } else { *value };
                // A value on a threshold is not beyond it; the lowest threshold lies below 0, so 0 is in the first bucket.
                let bucket = ((value.clamp(0.0, 1.0) * last).ceil() - 1.0).max(0.0) as usize;
                let side = if truth.value(column, batch.cols) != 0.0 { &mut self.positives } else { &mut self.negatives };
                side[bucket] += weight;
            }
        }
        Ok(())
    }

    pub(super) fn area(&self, auc: &Auc) -> f64 {
        let (all_positives, all_negatives) = (self.positives.iter().sum::<f64>(), self.negatives.iter().sum::<f64>());
        // From the highest threshold down, where counts grow.
        let mut above = At::default();
        let mut area = 0.0;
        for bucket in (0..self.positives.len()).rev() {
            let below = At {
                true_positives: above.true_positives + self.positives[bucket],
                false_positives: above.false_positives + self.negatives[bucket],
            };
            // The highest threshold itself has nothing above it to make an interval with.
            if bucket + 1 < self.positives.len() {
                area += match (auc.curve, auc.summation) {
                    (Curve::Pr, Summation::Interpolation) => interpolated(below, above, all_positives),
                    _ => {
                        let (x0, y0) = point(auc.curve, below, all_positives, all_negatives);
                        let (x1, y1) = point(auc.curve, above, all_positives, all_negatives);
                        let height = match auc.summation {
                            Summation::Interpolation => (y0 + y1) / 2.0,
                            Summation::Minoring => y0.min(y1),
                            Summation::Majoring => y0.max(y1),
                        };
                        (x0 - x1) * height
                    }
                };
            }
            above = below;
        }
        area
    }
}

/// A point of the curve.
fn point(curve: Curve, at: At, all_positives: f64, all_negatives: f64) -> (f64, f64) {
    let recall = ratio(at.true_positives, all_positives);
    match curve {
        Curve::Roc => (ratio(at.false_positives, all_negatives), recall),
        Curve::Pr => (recall, ratio(at.true_positives, at.true_positives + at.false_positives)),
    }
}

/// Area between two thresholds of the precision–recall curve: true positives are taken as linear in all positives, which makes
/// precision a hyperbola (Keras' `interpolate_pr_auc`).
fn interpolated(below: At, above: At, all_positives: f64) -> f64 {
    let gained = below.true_positives - above.true_positives;
    let (p0, p1) = (below.true_positives + below.false_positives, above.true_positives + above.false_positives);
    let slope = ratio(gained, p0 - p1);
    let intercept = above.true_positives - slope * p1;
    let relative = if p0 > 0.0 && p1 > 0.0 { p0 / p1 } else { 1.0 };
    ratio(slope * (gained + intercept * relative.ln()), all_positives)
}

/// a / b; 0 where b is 0.
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}
