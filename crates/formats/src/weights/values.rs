//! What was read for a model, or why nothing was.

use super::OptimizerValues;
use crate::error::Error;
use std::path::Path;

/// Values for all weights of a model, in their order, and for its optimizer where wanted and found.
#[derive(Debug)]
pub(crate) struct Values {
    pub(super) weights: Vec<Vec<f32>>,
    pub(super) optimizer: Option<OptimizerValues>,
}

impl Values {
    /// Values of weights, and of an optimizer, that are known to fit.
    pub(crate) fn new(weights: Vec<Vec<f32>>, optimizer: Option<OptimizerValues>) -> Values {
        Values { weights, optimizer }
    }

    /// Whether the optimizer's variables are among them.
    pub(super) fn has_optimizer(&self) -> bool {
        self.optimizer.is_some()
    }
}

/// Why a file's weights were not taken.
pub(crate) enum Refusal {
    /// The file is damaged.
    Damaged(String),
    /// It is sound, but for another network.
    Misfits(Vec<String>),
}

impl Refusal {
    /// Whether the weights are fine and only the optimizer's variables are not.
    pub(super) fn is_optimizer_only(&self) -> bool {
        matches!(self, Refusal::Misfits(misfits) if misfits.iter().all(|m| m.starts_with("optimizer")))
    }

    /// Everything in one line.
    pub(super) fn message(&self) -> String {
        match self {
            Refusal::Damaged(message) => message.clone(),
            Refusal::Misfits(misfits) => misfits.join("; "),
        }
    }

    /// The error for the file at `path`.
    pub(crate) fn at(self, path: &Path) -> Error {
        match self {
            Refusal::Damaged(message) => Error::damaged(path, message),
            Refusal::Misfits(misfits) => Error::Misfit { path: path.to_path_buf(), misfits },
        }
    }

    /// The same, with the archive's member that it is about.
    pub(crate) fn within(self, member: &str) -> Refusal {
        match self {
            Refusal::Damaged(message) => Refusal::Damaged(format!("{member}: {message}")),
            misfits => misfits,
        }
    }
}

impl From<String> for Refusal {
    fn from(message: String) -> Refusal {
        Refusal::Damaged(message)
    }
}
