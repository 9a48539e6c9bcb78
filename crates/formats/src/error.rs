//! What can go wrong with a file.

use std::fmt;
use std::path::{Path, PathBuf};

/// Everything this crate reports. Messages name the file, and the member or layer in it, what was expected and what came.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be read or written.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What was tried, such as "read".
        action: &'static str,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is damaged, or something else than it should be.
    #[error("{}: {message}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where in it, what was expected, what came.
        message: String,
    },
    /// The file's network cannot be built here.
    #[error("{}: {source}", path.display())]
    Model {
        /// Which file.
        path: PathBuf,
        /// Which layer or key, and why.
        source: maobi_nn::Error,
    },
    /// The file's weights do not fit the network. All misfits are listed, and nothing was changed.
    #[error("{}: the weights do not fit the network (nothing was changed): {}", path.display(), misfits.join("; "))]
    Misfit {
        /// Which file.
        path: PathBuf,
        /// Each: layer, variable, expected shape, found shape.
        misfits: Vec<String>,
    },
    /// The file holds weights alone, without the network that they are for.
    #[error("{}: holds weights alone, without the network: give the run folder or the network they belong to, or a whole model such as a .keras file", path.display())]
    NoNetwork {
        /// Which file.
        path: PathBuf,
    },
    /// The format does not hold what is asked of it, or the file's kind is not known here.
    #[error("{}: {message}", path.display())]
    Unsupported {
        /// Which file, or which name of a format.
        path: PathBuf,
        /// What is not supported, and the way around it.
        message: String,
    },
    /// The model cannot be written in this form.
    #[error("{}: cannot write the model: {message}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why, and what to do.
        message: String,
    },
}

/// The message, so that a `main` that returns the error prints a sentence.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error {
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Io { path, action, source }
    }

    pub(crate) fn damaged(path: &Path, message: impl Into<String>) -> Error {
        Error::Damaged { path: path.to_path_buf(), message: message.into() }
    }

    pub(crate) fn no_network(path: &Path) -> Error {
        Error::NoNetwork { path: path.to_path_buf() }
    }

    pub(crate) fn unsupported(path: &Path, message: impl Into<String>) -> Error {
        Error::Unsupported { path: path.to_path_buf(), message: message.into() }
    }

    pub(crate) fn write(path: &Path, message: impl Into<String>) -> Error {
        Error::Write { path: path.to_path_buf(), message: message.into() }
    }
}

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
