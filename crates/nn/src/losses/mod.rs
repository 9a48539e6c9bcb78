//! Losses, their gradients and the targets they compare with (keras/src/losses/losses.py).
//!
//! A loss of one row is a number; the loss of a batch is their mean (Keras' `sum_over_batch_size`), each row times its sample
//! weight. Where the model ends in the softmax or sigmoid that a cross-entropy undoes, both are computed from the logits.

mod class_weights;
mod crossentropy;
mod evaluate;
#[cfg(test)]
mod golden_tests;
mod regression;
mod serde;

pub use class_weights::apply_class_weights;
pub use evaluate::LossError;

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

/// A loss. The parameters are Keras', with Keras' defaults in [`Loss::from_value`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// −ln p\[class\].
    SparseCategoricalCrossentropy {
        /// The output is logits, not probabilities.
        from_logits: bool,
        /// Rows of this class count neither in the sum nor in the mean.
        ignore_class: Option<i64>,
    },
    /// −Σ t·ln p.
    CategoricalCrossentropy {
        /// The output is logits, not probabilities.
        from_logits: bool,
        /// s of t·(1 − s) + s / cols, in \[0, 1\].
        label_smoothing: f32,
    },
    /// Mean over columns of −t·ln p − (1 − t)·ln(1 − p).
    BinaryCrossentropy {
        /// The output is logits, not probabilities.
        from_logits: bool,
        /// s of t·(1 − s) + s / 2, in \[0, 1\].
        label_smoothing: f32,
    },
    /// Mean over columns of (p − t)².
    MeanSquaredError,
    /// Mean over columns of |p − t|.
    MeanAbsoluteError,
    /// Mean over columns of e²/2 where |e| ≤ δ, else δ·|e| − δ²/2.
    Huber {
        /// δ; default 1.
        delta: f32,
    },
    /// Σ t·ln(t / p).
    KLDivergence,
}

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
    /// Whether targets are class numbers, where the other losses compare whole rows.
    pub fn is_sparse(&self) -> bool {
        matches!(self, Loss::SparseCategoricalCrossentropy { .. })
    }

    /// Sparse categorical cross-entropy of probabilities.
    pub fn sparse_categorical_crossentropy() -> Loss {
        Loss::SparseCategoricalCrossentropy { from_logits: false, ignore_class: None }
    }

    /// Categorical cross-entropy of probabilities.
    pub fn categorical_crossentropy() -> Loss {
        Loss::CategoricalCrossentropy { from_logits: false, label_smoothing: 0.0 }
    }

    /// Binary cross-entropy of probabilities.
    pub fn binary_crossentropy() -> Loss {
        Loss::BinaryCrossentropy { from_logits: false, label_smoothing: 0.0 }
    }

    /// The same loss on an output of logits; no change for losses without the option.
    pub fn from_logits(mut self, value: bool) -> Loss {
        match &mut self {
            Loss::SparseCategoricalCrossentropy { from_logits, .. }
            | Loss::CategoricalCrossentropy { from_logits, .. }
            | Loss::BinaryCrossentropy { from_logits, .. } => *from_logits = value,
            _ => {}
        }
        self
    }

    /// The same loss with smoothed labels; no change for losses without the option.
    pub fn label_smoothing(mut self, value: f32) -> Loss {
        if let Loss::CategoricalCrossentropy { label_smoothing, .. } | Loss::BinaryCrossentropy { label_smoothing, .. } =
            &mut self
        {
            *label_smoothing = value;
        }
        self
    }

    /// What to hand to [`Loss::evaluate`] when the model's last operation makes `last` available: `last` itself where this
    /// loss undoes that operation, else the output.
    pub fn source_for(&self, last: Source) -> Source {
        match (self, last) {
            (Loss::SparseCategoricalCrossentropy { .. } | Loss::CategoricalCrossentropy { .. }, Source::SoftmaxLogits)
            | (Loss::BinaryCrossentropy { .. }, Source::SigmoidLogits) => last,
            _ => Source::Probabilities,
        }
    }

    /// Whether targets are naturally one class a row rather than a row of values.
    pub fn takes_classes(&self) -> bool {
        matches!(self, Loss::SparseCategoricalCrossentropy { .. })
    }

    /// What the mean over a batch divides by: its rows, less those of `ignore_class`.
    pub fn denominator(&self, rows: usize, target: Target<'_>) -> f32 {
        let Loss::SparseCategoricalCrossentropy { ignore_class: Some(ignored), .. } = *self else {
            return rows as f32;
        };
        let counted = match target {
            Target::Classes(classes) => classes.iter().filter(|class| i64::from(**class) != ignored).count(),
            Target::Values(values) => values.iter().filter(|value| **value as i64 != ignored).count(),
        };
        counted as f32
    }
}
