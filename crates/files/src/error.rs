//! Why the content of a file is refused.

/// What is wrong with the content of a file. The message is a sentence without the file's name, which the caller puts before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The bytes are not what the format asks for.
    #[error("expected {expected}, found {found}")]
    Malformed {
        /// What the format asks for.
        expected: String,
        /// What the file holds.
        found: String,
    },
    /// The data is shorter or longer than its own header says.
    #[error("expected {expected} bytes, found {found}{}", if *found < *expected { ": the file is cut short, fetch it again" } else { " or more: there is something behind the data" })]
    Length {
        /// Bytes that the header asks for.
        expected: u64,
        /// Bytes present (a lower bound when there are too many).
        found: u64,
    },
    /// A size beyond the reader's limit; no memory was taken for it.
    #[error("{what} is {found}, more than the limit of {limit}")]
    TooLarge {
        /// Which size.
        what: &'static str,
        /// The size asked for.
        found: u64,
        /// The most that is accepted.
        limit: u64,
    },
    /// Anything else, as a sentence: a form of the format that is not read, a part that is missing, memory that is short.
    #[error("{0}")]
    Other(String),
    /// A part of the file is refused.
    #[error("{name}: {reason}")]
    Member {
        /// Name of the part, such as the member of an archive.
        name: String,
        /// Why.
        reason: Box<FormatError>,
    },
}

impl FormatError {
    /// A [`FormatError::Malformed`] from anything that prints.
    pub fn malformed(expected: impl Into<String>, found: impl ToString) -> Self {
        Self::Malformed { expected: expected.into(), found: found.to_string() }
    }

    /// The same for a part of the file.
    #[must_use]
    pub fn within(self, name: &str) -> Self {
        Self::Member { name: name.to_owned(), reason: Box::new(self) }
    }
}

impl From<String> for FormatError {
    fn from(sentence: String) -> Self {
        Self::Other(sentence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_data_read_differently() {
        let short = FormatError::Length { expected: 10, found: 4 };
        assert_eq!(short.to_string(), "expected 10 bytes, found 4: the file is cut short, fetch it again");
        let long = FormatError::Length { expected: 10, found: 11 }.within("a.npy");
        assert_eq!(long.to_string(), "a.npy: expected 10 bytes, found 11 or more: there is something behind the data");
    }
}
