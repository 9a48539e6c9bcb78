//! Walking the rows of a batch.

use super::target::check_class;
use super::{Labels, Loss, LossError, Row, RowTarget, Source, Target};

/// Rows to evaluate: a whole batch, or the part of it that one task has.
#[derive(Clone, Copy, Debug)]
pub struct LossBatch<'a> {
    /// What `prediction` holds.
    pub source: Source,
    /// Rows here.
    pub rows: usize,
    /// Columns: classes or output values of one row.
    pub cols: usize,
    /// `[rows, cols]`, row-major.
    pub prediction: &'a [f32],
    /// The truth of these rows.
    pub target: Target<'a>,
    /// `[rows]`; absent means 1 each.
    pub sample_weight: Option<&'a [f32]>,
    /// What the mean divides by: [`Loss::denominator`] of the *whole* batch.
    pub denominator: f32,
    /// Index of the first row in the whole batch, for errors.
    pub first_row: usize,
}

impl Loss {
    /// What the mean over a batch divides by: its rows, less those that the loss ignores.
    pub fn denominator(&self, rows: usize, target: Target<'_>) -> f32 {
        let counts = |label: i64| !self.function().ignores(label);
        if self.labels() != Labels::Classes {
            return rows as f32;
        }
        let counted = match target {
            Target::Classes(classes) => classes.iter().filter(|class| counts(i64::from(**class))).count(),
            Target::Values(values) if values.len() == rows => values.iter().filter(|value| counts(**value as i64)).count(),
            Target::Values(_) => rows,
        };
        counted as f32
    }

    /// The losses of these rows.
    ///
    /// Returns Σ weight·loss over the rows, *not* divided by the denominator. Overwrites `gradient`, `[rows, cols]`, with the
    /// derivative of the batch's mean loss with respect to `prediction`, and `per_sample`, `[rows]`, with the losses before
    /// weights. A row's results depend on that row alone, so a batch may be split anywhere. Allocates nothing.
    ///
    /// # Errors
    /// [`LossError`] when a label is no class, a slice has the wrong length, or the source does not fit the loss. What was
    /// written before the error stays.
    pub fn evaluate(
        &self,
        batch: &LossBatch<'_>,
        mut gradient: Option<&mut [f32]>,
        mut per_sample: Option<&mut [f32]>,
    ) -> Result<f64, LossError> {
        self.check_batch(batch, gradient.as_deref(), per_sample.as_deref())?;
        let (cols, target) = (batch.cols, &batch.target);
        let (sparse, logits) = (self.labels() == Labels::Classes, batch.source != Source::Probabilities);
        let mut sum = 0.0;
        for row in 0..batch.rows {
            let at = row * cols..(row + 1) * cols;
            let weight = batch.sample_weight.map_or(1.0, |weights| weights[row]);
            // Both of Keras' factors at once: the weight of the sample and the mean's divisor.
            let scale = if batch.denominator > 0.0 { weight / batch.denominator } else { 0.0 };
            let p = &batch.prediction[at.clone()];
            let g = gradient.as_deref_mut().map(|gradient| &mut gradient[at]);
            let loss = if sparse && self.function().ignores(target.label(row)) {
                if let Some(g) = g {
                    g.fill(0.0);
                }
                0.0
            } else {
                let truth = match sparse {
                    true => RowTarget::Class(check_class(target.label(row), row, cols, batch.first_row)?),
                    false => target.row(row, cols, batch.first_row)?,
                };
                self.function().row(Row { truth, prediction: p, logits, gradient: g, scale })
            };
            if let Some(per_sample) = per_sample.as_deref_mut() {
                per_sample[row] = loss;
            }
            sum += f64::from(loss) * f64::from(weight);
        }
        Ok(sum)
    }

    fn check_batch(&self, batch: &LossBatch<'_>, gradient: Option<&[f32]>, per_sample: Option<&[f32]>) -> Result<(), LossError> {
        let (rows, cols) = (batch.rows, batch.cols);
        if self.source_for(batch.source) != batch.source {
            return Err(LossError::Source { loss: self.name(), source_kind: batch.source });
        }
        let length = |what, got: usize, expected: usize| {
            if got == expected {
                return Ok(());
            }
            let shape = if expected == rows { format!("{rows} rows") } else { format!("{rows} rows of {cols} columns") };
            Err(LossError::Length { loss: self.name(), what, expected, shape, got })
        };
        length("the prediction", batch.prediction.len(), rows * cols)?;
        length("the gradient", gradient.map_or(rows * cols, <[f32]>::len), rows * cols)?;
        length("the sample weight", batch.sample_weight.map_or(rows, <[f32]>::len), rows)?;
        length("the losses of samples", per_sample.map_or(rows, <[f32]>::len), rows)?;
        batch.target.check(self.name(), rows, cols, self.labels())
    }
}
