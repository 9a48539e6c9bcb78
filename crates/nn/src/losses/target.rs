//! What predictions are compared with, and what can be wrong with it.

/// What predictions are compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target<'a> {
    /// One class a row, `[rows]`. Losses over values read it as one-hot (as 0 or 1 where there is one column).
    Classes(&'a [u32]),
    /// `[rows, cols]`, row-major; `[rows]` whole numbers are also read as classes by the sparse losses and metrics.
    Values(&'a [f32]),
}

/// What `prediction` holds, and what the gradient is taken with respect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The model's output as it is: probabilities, unless the loss says `from_logits`.
    Probabilities,
    /// What goes into the softmax that is the model's last operation.
    SoftmaxLogits,
    /// What goes into the sigmoid that is the model's last operation.
    SigmoidLogits,
}

/// How a loss or a metric takes its targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Labels {
    /// One class number a row.
    Classes,
    /// One-hot rows, or a probability for each class.
    OneHot,
    /// Rows of any values.
    Values,
}

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
        /// That length as a phrase, such as "64 rows of 10 columns".
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
pub enum RowTarget<'a> {
    /// A class, already checked against the columns (0 or 1 where there is one column).
    Class(usize),
    /// A value a column.
    Values(&'a [f32]),
}

impl RowTarget<'_> {
    /// The value of a column; classes are one-hot, or 0 and 1 where there is one column.
    pub fn value(self, column: usize, cols: usize) -> f32 {
        match self {
            RowTarget::Class(class) if cols == 1 => class as f32,
            RowTarget::Class(class) => f32::from(u8::from(class == column)),
            RowTarget::Values(values) => values[column],
        }
    }
}

impl<'a> Target<'a> {
    /// Checks the length against `rows` rows of `cols` columns.
    pub(crate) fn check(&self, owner: &'static str, rows: usize, cols: usize, labels: Labels) -> Result<(), LossError> {
        let sparse = labels == Labels::Classes;
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
            Target::Values(_) if labels == Labels::OneHot && got == rows => {
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
