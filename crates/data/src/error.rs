//! What can go wrong between a file and a [`Dataset`](crate::Dataset): one type, the file named in each variant.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use maobi_files::FormatError;

/// An error of this crate. Its text is a sentence for the user: the file, what was expected, what came, what to do.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The operating system refused to open or read.
    #[error("{}: cannot be read: {source}", file.display())]
    Read {
        /// The file or folder.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The operating system refused to create, write or rename.
    #[error("{}: cannot be written: {source}", file.display())]
    Write {
        /// The file or folder.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The content of a file is not what its format asks for, not read here, or beyond the limits.
    #[error("{file}: {reason}")]
    Content {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: FormatError,
    },
    /// Images, labels and names do not fit each other, or an argument is out of range.
    #[error("{name}: expected {expected}, found {found}")]
    Invalid {
        /// The data set or argument.
        name: String,
        /// What was expected.
        expected: String,
        /// What came.
        found: String,
    },
    /// A picture cannot be read.
    #[error(transparent)]
    Picture(#[from] maobi_vision::DecodeError),
    /// Not one picture of a folder could be used.
    #[error("{}: none of its {count} picture(s) can be read; the first: {first}", folder.display())]
    NoPictures {
        /// The folder.
        folder: PathBuf,
        /// Pictures tried.
        count: usize,
        /// Why the first was refused.
        first: String,
    },
    /// The data set is in none of the places looked at.
    #[error("{dataset}: not found; looked at {}. {advice}", list(tried))]
    NotFound {
        /// The data set asked for.
        dataset: String,
        /// Every path looked at, in order.
        tried: Vec<PathBuf>,
        /// What to do.
        advice: String,
    },
    /// No mirror answered at all.
    #[error("{dataset}: cannot be fetched, no mirror can be reached ({cause}). {advice}")]
    Offline {
        /// The data set asked for.
        dataset: String,
        /// What happened with the first mirror.
        cause: String,
        /// What to do instead.
        advice: String,
    },
    /// No mirror delivered the file.
    #[error("{file}: no mirror delivered it ({}). {advice}", attempts.join("; "))]
    Download {
        /// The file asked for.
        file: String,
        /// One line for each mirror: its address and what went wrong.
        attempts: Vec<String>,
        /// What to do instead.
        advice: String,
    },
}

/// The message, so that a `main` that returns the error prints a sentence.
impl fmt::Debug for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl DataError {
    /// Turns an [`io::Error`] met on reading `file` into this type.
    pub(crate) fn read(file: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let file = file.as_ref().to_path_buf();
        move |source| DataError::Read { file, source }
    }

    /// Turns an [`io::Error`] met on writing `file` into this type.
    pub(crate) fn write(file: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        let file = file.as_ref().to_path_buf();
        move |source| DataError::Write { file, source }
    }

    /// Turns a [`FormatError`] met in `file` into this type.
    pub(crate) fn content(file: &str) -> impl FnOnce(FormatError) -> Self {
        let file = file.to_owned();
        move |reason| DataError::Content { file, reason }
    }

    /// A [`FormatError::Malformed`] of `file` from anything that prints.
    pub(crate) fn malformed(file: &str, expected: impl Into<String>, found: impl ToString) -> Self {
        Self::content(file)(FormatError::malformed(expected, found))
    }

    /// A [`DataError::Invalid`] from anything that prints.
    pub(crate) fn invalid(name: &str, expected: impl Into<String>, found: impl ToString) -> Self {
        DataError::Invalid { name: name.to_owned(), expected: expected.into(), found: found.to_string() }
    }
}

/// The paths, separated by commas.
fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_found_lists_the_places() {
        let error = DataError::NotFound { dataset: "mnist".into(), tried: vec!["x".into(), "y".into()], advice: "Do.".into() };
        assert_eq!(error.to_string(), "mnist: not found; looked at x, y. Do.");
    }
}
