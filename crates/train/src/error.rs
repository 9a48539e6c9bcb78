//! What can go wrong in training, evaluation and prediction.

use std::fmt;
use std::path::{Path, PathBuf};

/// Everything this crate reports.
#[derive(thiserror::Error)]
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
    /// An argument of a callback that is declared by `keras_object!`.
    #[error(transparent)]
    Config(#[from] maobi_nn::object::ConfigError),
    /// An argument of `fit` or of a callback.
    #[error("{argument}: {message}")]
    Argument {
        /// Which argument.
        argument: String,
        /// What was expected, what came, what to do.
        message: String,
    },
    /// Training has diverged: a loss, a weight or the learning rate is NaN or infinite.
    #[error(
        "{what} at step {step} (epoch {epoch}): training has diverged, and this model is of no use. Lower the learning rate (it is \
         {learning_rate:?}), scale the pixels to 0…1, or limit the gradients with clipnorm{}", kept_in(kept.as_deref())
    )]
    NotFinite {
        /// What became NaN or infinite, such as "the loss is NaN".
        what: String,
        /// Epoch, from 1.
        epoch: usize,
        /// Global step, from 1.
        step: u64,
        /// The learning rate of that step.
        learning_rate: f32,
        /// The file with the last good model, where a callback has written one.
        kept: Option<PathBuf>,
    },
    /// A loss is NaN or infinite because the data is.
    #[error(
        "{what} at step {step} (epoch {epoch}) because of {sample}. Correct that sample or leave it out{}", kept_in(kept.as_deref())
    )]
    NotFiniteData {
        /// What became NaN or infinite.
        what: String,
        /// Epoch, from 1.
        epoch: usize,
        /// Global step, from 1.
        step: u64,
        /// The value and its place, such as "NaN in input 0 of sample 17 (counted from 0) of the training data".
        sample: String,
        /// The file with the last good model, where a callback has written one.
        kept: Option<PathBuf>,
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

/// The message, so that a `main` that returns the error prints a sentence.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn kept_in(file: Option<&Path>) -> String {
    file.map(|file| format!(". The last good model is kept in {}", file.display())).unwrap_or_default()
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
