//! Walking the rows.

use super::{Loss, LossBatch, Source, Target, crossentropy, regression};

/// The loss that people confuse with its sparse sister.
const CATEGORICAL: &str = "categorical_crossentropy";

/// Why a batch could not be evaluated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LossError {
    /// A label that is no class.
    #[error("sample {sample}: label {label} is not one of the {classes} classes 0 to {}", classes.saturating_sub(1))]
    Label {
        /// Row in the whole batch.
        sample: usize,
        /// The label.
        label: i64,
        /// Number of classes, the columns of the output.
        classes: usize,
    },
    /// A slice has the wrong length.
    #[error("{loss}: {what} must hold {expected} values ({shape}), got {got}")]
    Length {
        /// The loss or metric.
        loss: &'static str,
        /// Which slice.
        what: &'static str,
        /// The length it should have.
        expected: usize,
        /// That length in words, such as "64 rows of 10 columns".
        shape: String,
        /// The length it has.
        got: usize,
    },
    /// One-hot rows where class numbers are taken.
    #[error(
        "{loss}: expected one class number per row, got one-hot rows of {cols} values. Give class numbers (labels = \"sparse\" in a \
         recipe), or use the loss categorical_crossentropy"
    )]
    OneHot {
        /// The loss or metric.
        loss: &'static str,
        /// Values per row.
        cols: usize,
    },
    /// Class numbers, as plain values, where one-hot rows are taken.
    #[error(
        "{loss}: expected one-hot rows of {cols} values, got one value per row. Give one-hot rows (labels = \"one-hot\" in a recipe), \
         or use the loss sparse_categorical_crossentropy"
    )]
    ClassNumbers {
        /// The loss or metric.
        loss: &'static str,
        /// Values per row.
        cols: usize,
    },
    /// Logits of an operation that the loss does not undo.
    #[error("{loss} cannot be computed from {source_kind:?}; pass the model's output (Loss::source_for tells)")]
    Source {
        /// The loss.
        loss: &'static str,
        /// What was passed.
        source_kind: Source,
    },
}

/// The truth of one row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RowTarget<'a> {
    /// A class, already checked against the columns (0 or 1 where there is one column).
    Class(usize),
    /// A value a column.
    Values(&'a [f32]),
}

impl RowTarget<'_> {
    /// The value of a column; classes are one-hot, or 0 and 1 where there is one column.
    pub(crate) fn value(self, column: usize, cols: usize) -> f32 {
        match self {
            RowTarget::Class(class) if cols == 1 => class as f32,
            RowTarget::Class(class) => f32::from(u8::from(class == column)),
            RowTarget::Values(values) => values[column],
        }
    }
}

impl<'a> Target<'a> {
    /// Checks the length against `rows` rows of `cols` columns. `sparse` also takes one value a row.
    pub(crate) fn check(&self, owner: &'static str, rows: usize, cols: usize, sparse: bool) -> Result<(), LossError> {
        let by_row = sparse || matches!(self, Target::Classes(_));
        let (got, expected) = match self {
            Target::Classes(classes) => (classes.len(), rows),
            Target::Values(values) => (values.len(), if sparse { rows } else { rows * cols }),
        };
        if got == expected {
            return Ok(());
        }
        match self {
            Target::Values(_) if sparse && got == rows * cols => return Err(LossError::OneHot { loss: owner, cols }),
            Target::Values(_) if owner == CATEGORICAL && got == rows => {
                return Err(LossError::ClassNumbers { loss: owner, cols });
            }
            _ => {}
        }
        let shape = if by_row { format!("one class a row, {rows} rows") } else { format!("{rows} rows of {cols} columns") };
        Err(LossError::Length { loss: owner, what: "the target", expected, shape, got })
    }

    /// The truth of a row, whose class must be below `cols` (below 2 where there is one column).
    pub(crate) fn row(&self, row: usize, cols: usize, first_row: usize) -> Result<RowTarget<'a>, LossError> {
        match self {
            Target::Classes(classes) => check_class(i64::from(classes[row]), row, cols, first_row).map(RowTarget::Class),
            Target::Values(values) => Ok(RowTarget::Values(&values[row * cols..(row + 1) * cols])),
        }
    }

    /// The label of a row as a sparse target holds it, unchecked.
    pub(crate) fn label(&self, row: usize) -> i64 {
        match self {
            Target::Classes(classes) => i64::from(classes[row]),
            Target::Values(values) => values[row] as i64,
        }
    }
}

/// A label as an index of `cols` classes.
pub(crate) fn check_class(label: i64, row: usize, cols: usize, first_row: usize) -> Result<usize, LossError> {
    let classes = cols.max(2);
    match usize::try_from(label) {
        Ok(class) if class < classes => Ok(class),
        _ => Err(LossError::Label { sample: first_row + row, label, classes }),
    }
}

impl Loss {
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
        self.check(batch, gradient.as_deref(), per_sample.as_deref())?;
        let (cols, target) = (batch.cols, &batch.target);
        let mut sum = 0.0;
        for row in 0..batch.rows {
            let at = row * cols..(row + 1) * cols;
            let weight = batch.sample_weight.map_or(1.0, |weights| weights[row]);
            // Both of Keras' factors at once: the weight of the sample and the mean's divisor.
            let scale = if batch.denominator > 0.0 { weight / batch.denominator } else { 0.0 };
            let p = &batch.prediction[at.clone()];
            let g = gradient.as_deref_mut().map(|gradient| &mut gradient[at]);
            let loss = match *self {
                Loss::SparseCategoricalCrossentropy { from_logits, ignore_class } => {
                    let label = target.label(row);
                    if ignore_class == Some(label) {
                        if let Some(g) = g {
                            g.fill(0.0);
                        }
                        0.0
                    } else {
                        let class = check_class(label, row, cols, batch.first_row)?;
                        if from_logits || batch.source == Source::SoftmaxLogits {
                            crossentropy::softmax(RowTarget::Class(class), 0.0, p, g, scale)
                        } else {
                            crossentropy::sparse(class, p, g, scale)
                        }
                    }
                }
                Loss::CategoricalCrossentropy { from_logits, label_smoothing } => {
                    let truth = target.row(row, cols, batch.first_row)?;
                    if from_logits || batch.source == Source::SoftmaxLogits {
                        crossentropy::softmax(truth, label_smoothing, p, g, scale)
                    } else {
                        crossentropy::categorical(truth, label_smoothing, p, g, scale)
                    }
                }
                Loss::BinaryCrossentropy { from_logits, label_smoothing } => {
                    let truth = target.row(row, cols, batch.first_row)?;
                    if from_logits || batch.source == Source::SigmoidLogits {
                        crossentropy::sigmoid(truth, label_smoothing, p, g, scale)
                    } else {
                        crossentropy::binary(truth, label_smoothing, p, g, scale)
                    }
                }
                Loss::MeanSquaredError => regression::squared(target.row(row, cols, batch.first_row)?, p, g, scale),
                Loss::MeanAbsoluteError => regression::absolute(target.row(row, cols, batch.first_row)?, p, g, scale),
                Loss::Huber { delta } => regression::huber(target.row(row, cols, batch.first_row)?, delta, p, g, scale),
                Loss::KLDivergence => regression::divergence(target.row(row, cols, batch.first_row)?, p, g, scale),
            };
            if let Some(per_sample) = per_sample.as_deref_mut() {
                per_sample[row] = loss;
            }
            sum += f64::from(loss) * f64::from(weight);
        }
        Ok(sum)
    }

    fn check(&self, batch: &LossBatch<'_>, gradient: Option<&[f32]>, per_sample: Option<&[f32]>) -> Result<(), LossError> {
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
        batch.target.check(self.name(), rows, cols, self.takes_classes())
    }
}
