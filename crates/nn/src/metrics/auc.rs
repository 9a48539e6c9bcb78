//! `AUC`: the area under the ROC or precision–recall curve, from counts at evenly spread thresholds
//! (keras/src/metrics/confusion_metrics.py).

use super::{MetricFunction, Rows};
use crate::keras_object;
use crate::losses::LossError;
use crate::object::range::Range;
use crate::object::words;

words! {
    /// A curve.
    pub enum Curve {
        /// True-positive rate over false-positive rate.
        Roc = "ROC" | "roc",
        /// Precision over recall.
        Pr = "PR" | "pr",
    }
}

words! {
    /// How the area between two thresholds is taken.
    pub enum Summation {
        /// Trapezia; for precision–recall the interpolation of Davis and Goadrich (2006).
        Interpolation = "interpolation",
        /// The lower of the two heights.
        Minoring = "minoring",
        /// The higher.
        Majoring = "majoring",
    }
}

/// A million counts more than any curve shows, and bounds the memory that a file can ask for.
const THRESHOLDS: Range = Range { expected: "from 2 to 1000000", holds: |count| (2.0..=1e6).contains(&count) };

keras_object! {
    /// Area under a curve.
    pub struct AUC("auc") {
        /// Thresholds, evenly over \[0, 1\]; at least 2, 200 by default.
        num_thresholds: usize where THRESHOLDS = 200,
        /// Which curve; ROC by default.
        curve: Curve = Curve::Roc,
        /// How the area between two thresholds is taken; by interpolation by default.
        summation_method: Summation = Summation::Interpolation,
        /// Whether predictions are logits; false by default.
        from_logits: bool = false,
    } accepted { multi_label: [false], thresholds: [], num_labels: [], label_weights: [] }
}

/// Counts at one threshold.
#[derive(Clone, Copy, Default)]
struct At {
    true_positives: f64,
    false_positives: f64,
}

/// Half of the sums are the weights of positives whose prediction falls between two thresholds, half those of negatives.
impl MetricFunction for AUC {
    fn sums(&self, _: usize) -> usize {
        2 * self.num_thresholds.max(2)
    }

    fn add(&self, sums: &mut [f64], rows: &Rows<'_>) -> Result<(), LossError> {
        let (positives, negatives) = sums.split_at_mut(sums.len() / 2);
        let last = (positives.len() - 1) as f32;
        for row in 0..rows.rows {
            let truth = rows.truth(row)?;
            let weight = rows.weight(row);
            for (column, value) in rows.prediction(row).iter().enumerate() {
                let value = if self.from_logits { 1.0 / (1.0 + (-value).exp()) } else { *value };
                // A value on a threshold is not beyond it; the lowest threshold lies below 0, so 0 is in the first bucket.
                let bucket = ((value.clamp(0.0, 1.0) * last).ceil() - 1.0).max(0.0) as usize;
                let side = if truth.value(column, rows.cols) != 0.0 { &mut *positives } else { &mut *negatives };
                side[bucket] += weight;
            }
        }
        Ok(())
    }

    fn result(&self, sums: &[f64]) -> f64 {
        let (positives, negatives) = sums.split_at(sums.len() / 2);
        let (all_positives, all_negatives) = (positives.iter().sum::<f64>(), negatives.iter().sum::<f64>());
        // From the highest threshold down, where counts grow.
        let mut above = At::default();
        let mut area = 0.0;
        for bucket in (0..positives.len()).rev() {
            let below = At {
                true_positives: above.true_positives + positives[bucket],
                false_positives: above.false_positives + negatives[bucket],
            };
            // The highest threshold itself has nothing above it to make an interval with.
            if bucket + 1 < positives.len() {
                area += match (self.curve, self.summation_method) {
                    (Curve::Pr, Summation::Interpolation) => interpolated(below, above, all_positives),
                    _ => {
                        let (x0, y0) = point(self.curve, below, all_positives, all_negatives);
                        let (x1, y1) = point(self.curve, above, all_positives, all_negatives);
                        let height = match self.summation_method {
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
