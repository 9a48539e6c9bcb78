//! Which classes are taken for which.

use super::{Accuracy, MetricFunction, Rows, arg_max};
use crate::losses::{LossError, Target};

/// Counts of (true class, predicted class).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfusionMatrix {
    classes: usize,
    counts: Vec<u64>,
}

/// How one class fares. Figures without anything to divide by are 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClassReport {
    /// Share of the predictions of this class that are right.
    pub precision: f64,
    /// Share of this class that is found.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
    /// Samples of this class.
    pub support: u64,
}

impl ConfusionMatrix {
    /// An empty matrix.
    pub fn new(classes: usize) -> ConfusionMatrix {
        ConfusionMatrix { classes, counts: vec![0; classes * classes] }
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// `[true class, predicted class]`, row-major.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How often `truth` was taken for `predicted`.
    ///
    /// # Panics
    /// When either is no class.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        assert!(predicted < self.classes, "class {predicted} of {}", self.classes);
        self.counts[truth * self.classes + predicted]
    }

    /// Adds a sample of class `truth` that was taken for `predicted`.
    ///
    /// # Panics
    /// When either is no class.
    pub fn add(&mut self, truth: usize, predicted: usize) {
        assert!(truth < self.classes && predicted < self.classes, "classes {truth} and {predicted} of {}", self.classes);
        self.counts[truth * self.classes + predicted] += 1;
    }

    /// Adds rows; the prediction is the largest column.
    ///
    /// # Errors
    /// [`LossError`] when a slice has the wrong length or a label is no class.
    pub fn update(&mut self, rows: usize, prediction: &[f32], target: Target<'_>) -> Result<(), LossError> {
        let (owner, cols) = ("confusion_matrix", self.classes);
        if prediction.len() != rows * cols {
            let shape = format!("{rows} rows of {cols} columns");
            let (expected, got) = (rows * cols, prediction.len());
            return Err(LossError::Length { loss: owner, what: "the prediction", expected, shape, got });
        }
        let batch = Rows { rows, cols, prediction, target, sample_weight: None };
        target.check(owner, rows, cols, Accuracy::new().labels(&batch))?;
        for (row, p) in prediction.chunks_exact(cols.max(1)).enumerate() {
            let label = batch.class(row);
            match usize::try_from(label) {
                Ok(class) if class < cols => self.counts[class * cols + arg_max(p)] += 1,
                _ => return Err(LossError::Label { sample: row, label, classes: cols }),
            }
        }
        Ok(())
    }

    /// Samples seen.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The share of samples on the diagonal; 0 without any.
    pub fn accuracy(&self) -> f64 {
        let right: u64 = (0..self.classes).map(|class| self.count(class, class)).sum();
        share(right, self.total())
    }

    /// Precision, recall, F1 and support of each class.
    pub fn per_class(&self) -> Vec<ClassReport> {
        (0..self.classes)
            .map(|class| {
                let right = self.count(class, class);
                let support: u64 = (0..self.classes).map(|predicted| self.count(class, predicted)).sum();
                let predicted: u64 = (0..self.classes).map(|truth| self.count(truth, class)).sum();
                let f1 = share(2 * right, support + predicted);
                ClassReport { precision: share(right, predicted), recall: share(right, support), f1, support }
            })
            .collect()
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_matrix_by_hand() {
        let mut matrix = ConfusionMatrix::new(2);
        let p = [0.9, 0.1, 0.2, 0.8, 0.6, 0.4, 0.5, 0.5];
        matrix.update(4, &p, Target::Classes(&[0, 1, 1, 0])).unwrap();
        assert_eq!(matrix.counts(), [2, 0, 1, 1]);
        assert_eq!(matrix.accuracy(), 0.75);
        let report = matrix.per_class();
        assert_eq!((report[0].recall, report[0].support), (1.0, 2));
        assert!((report[0].precision - 2.0 / 3.0).abs() < 1e-15);
        assert!((report[0].f1 - 0.8).abs() < 1e-15);
        assert!((report[1].f1 - 2.0 / 3.0).abs() < 1e-15);
        let mut one_hot = ConfusionMatrix::new(2);
        one_hot.update(2, &p[..4], Target::Values(&[1.0, 0.0, 0.0, 1.0])).unwrap();
        assert_eq!(one_hot.accuracy(), 1.0);
    }

    #[test]
    fn labels_are_checked() {
        let error = ConfusionMatrix::new(2).update(1, &[0.0, 1.0], Target::Classes(&[2])).unwrap_err();
        assert_eq!(error.to_string(), "sample 0: label 2 is not one of the 2 classes 0 to 1");
    }
}
