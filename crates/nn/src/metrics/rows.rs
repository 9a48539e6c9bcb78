//! The rows of one update, and figures of a single row.

use crate::arg_max::arg_max;
use crate::losses::{LossError, RowTarget, Target};

/// The rows of one update.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// Number of rows.
    pub rows: usize,
    /// Columns: classes or output values of one row.
    pub cols: usize,
    /// `[rows, cols]`: what the model answers.
    pub prediction: &'a [f32],
    /// The truth.
    pub target: Target<'a>,
    /// `[rows]`; absent means 1 each.
    pub sample_weight: Option<&'a [f32]>,
}

impl Rows<'_> {
    /// The weight of a row.
    pub fn weight(&self, row: usize) -> f64 {
        self.sample_weight.map_or(1.0, |weights| f64::from(weights[row]))
    }

    /// `[cols]`: the answer for a row.
    pub fn prediction(&self, row: usize) -> &[f32] {
        &self.prediction[row * self.cols..(row + 1) * self.cols]
    }

    /// The truth of a row.
    ///
    /// # Errors
    /// [`LossError::Label`] when its class is not one of the columns.
    pub fn truth(&self, row: usize) -> Result<RowTarget<'_>, LossError> {
        self.target.row(row, self.cols, 0)
    }

    /// The class of a row: as given, or the largest of its values.
    pub fn class(&self, row: usize) -> i64 {
        match self.target {
            Target::Values(values) if values.len() != self.rows || self.cols == 1 => {
                arg_max(&values[row * self.cols..(row + 1) * self.cols]) as i64
            }
            _ => self.target.label(row),
        }
    }

    /// The label of a row, unchecked, where targets are one class a row.
    pub fn label(&self, row: usize) -> i64 {
        self.target.label(row)
    }

    /// Adds Σ weight·figure to the first sum and Σ weight to the second: those of a mean over rows.
    ///
    /// # Errors
    /// What `figure` gives.
    pub fn add_mean(&self, sums: &mut [f64], figure: impl Fn(usize) -> Result<f32, LossError>) -> Result<(), LossError> {
        let count: f64 = (0..self.rows).map(|row| self.weight(row)).sum();
        let mut sum = 0.0;
        for row in 0..self.rows {
            sum += f64::from(figure(row)?) * self.weight(row);
        }
        if let [total, weight] = sums {
            *total += sum;
            *weight += count;
        }
        Ok(())
    }
}

/// 1 when the largest column is the class.
pub(super) fn hit(class: i64, p: &[f32]) -> f32 {
    f32::from(u8::from(arg_max(p) as i64 == class))
}

/// 1 when fewer than `k` columns are larger than the class's (TensorFlow's `in_top_k`: nothing is where values are not finite).
pub(super) fn in_top_k(class: i64, p: &[f32], k: usize) -> f32 {
    let Some(own) = usize::try_from(class).ok().and_then(|class| p.get(class)) else { return 0.0 };
    let sure = p.iter().all(|value| value.is_finite());
    let larger = p.iter().filter(|value| *value > own).count();
    f32::from(u8::from(sure && larger < k))
}

/// Share of columns on the target's side of the threshold.
pub(super) fn binary_hits(rows: &Rows<'_>, row: usize, threshold: f32) -> Result<f32, LossError> {
    let truth = rows.truth(row)?;
    let p = rows.prediction(row);
    let side = |value: f32| f32::from(u8::from(value > threshold));
    let hits = p.iter().enumerate().filter(|(column, value)| side(**value) == truth.value(*column, rows.cols)).count();
    Ok(hits as f32 / p.len() as f32)
}
