//! What can go wrong between a file and a [`Dataset`](crate::Dataset): one type, the file named in each variant.

use std::io;
use std::path::{Path, PathBuf};

/// An error of this crate. Its text is a sentence for the user: the file, what was expected, what came, what to do.
#[derive(Debug, thiserror::Error)]
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
    /// The bytes are not what the format asks for.
    #[error("{file}: expected {expected}, found {found}")]
    Malformed {
        /// The file, or the member of an archive as `FILE!MEMBER`.
        file: String,
        /// What the format asks for.
        expected: String,
        /// What the file holds.
        found: String,
    },
    /// The file is shorter or longer than its own header says.
    #[error("{file}: expected {expected} bytes, found {found}{}", if *found < *expected { ": the file is cut short, fetch it again" } else { " or more: there is something behind the data" })]
    Length {
        /// The file.
        file: String,
        /// Bytes that the header asks for.
        expected: u64,
        /// Bytes present (a lower bound when there are too many).
        found: u64,
    },
    /// A size beyond the reader's limit; nothing was allocated for it.
    #[error("{file}: {what} is {found}, more than the limit of {limit}")]
    TooLarge {
        /// The file.
        file: String,
        /// Which size.
        what: &'static str,
        /// The size asked for.
        found: u64,
        /// The most that is accepted.
        limit: u64,
    },
    /// The format is known but this form of it is not read.
    #[error("{file}: {what}")]
    Unsupported {
        /// The file.
        file: String,
        /// What it is, and what to do about it.
        what: String,
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

    /// A [`DataError::Malformed`] from anything that prints.
    pub(crate) fn malformed(file: &str, expected: impl Into<String>, found: impl ToString) -> Self {
        DataError::Malformed { file: file.to_owned(), expected: expected.into(), found: found.to_string() }
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
    fn a_short_file_and_a_long_one_read_differently() {
        let short = DataError::Length { file: "a".into(), expected: 10, found: 4 };
        assert_eq!(short.to_string(), "a: expected 10 bytes, found 4: the file is cut short, fetch it again");
        let long = DataError::Length { file: "a".into(), expected: 10, found: 11 };
        assert_eq!(long.to_string(), "a: expected 10 bytes, found 11 or more: there is something behind the data");
    }

    #[test]
    fn not_found_lists_the_places() {
        let error = DataError::NotFound { dataset: "mnist".into(), tried: vec!["x".into(), "y".into()], advice: "Do.".into() };
        assert_eq!(error.to_string(), "mnist: not found; looked at x, y. Do.");
    }
}
