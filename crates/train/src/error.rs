//! What can go wrong in training, evaluation and prediction.

use std::path::PathBuf;

/// Everything this crate reports.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The network or its arithmetic.
    #[error(transparent)]
    Network(#[from] maobi_nn::Error),
    /// The data.
    #[error(transparent)]
    Data(#[from] maobi_data::DataError),
    /// A model file.
    #[error(transparent)]
    Format(#[from] maobi_formats::Error),
    /// A recipe that does not describe a network and its training.
    #[error("recipe {recipe}: {message}")]
    Recipe {
        /// Name or file of the recipe.
        recipe: String,
        /// Which key, what was expected, what came.
        message: String,
    },
    /// An argument of `fit` or of a callback.
    #[error("{argument}: {message}")]
    Argument {
        /// Which argument.
        argument: String,
        /// What was expected, what came, what to do.
        message: String,
    },
    /// The loss is no number any more.
    #[error(
        "the loss is {loss} at step {step}: training has diverged and its weights are useless. Lower the learning rate (it is {learning_rate}), \
         scale the pixels to 0…1, or limit the gradients with clipnorm"
    )]
    NotFinite {
        /// What the loss was.
        loss: f64,
        /// Global step, from 1.
        step: u64,
        /// The learning rate of that step.
        learning_rate: f32,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    pub(crate) fn argument(argument: impl Into<String>, message: impl Into<String>) -> Error {
        Error::Argument { argument: argument.into(), message: message.into() }
    }

    pub(crate) fn file(path: impl Into<PathBuf>, source: std::io::Error) -> Error {
        Error::File { path: path.into(), source }
    }
}

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
