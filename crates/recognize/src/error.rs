//! What can go wrong in making a recognizer and reading with it.

/// Everything this crate reports.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The network or its arithmetic.
    #[error(transparent)]
    Network(#[from] maobi_nn::Error),
    /// The model file.
    #[error(transparent)]
    Format(#[from] maobi_formats::Error),
    /// The picture took more work or time than it may.
    #[error(transparent)]
    TooMuch(#[from] maobi_vision::TooMuch),
    /// The file's [`MEMBER`](crate::preprocessing::MEMBER) says something that makes no sense.
    #[error("{file}: its member {} cannot be read: {message}", crate::preprocessing::MEMBER)]
    Member {
        /// Name of the model file.
        file: String,
        /// What was expected and what came.
        message: String,
    },
    /// The network answers with NaN or infinity.
    #[error(
        "the network's outputs for this picture are NaN or infinite; has its training diverged, or are pixels scaled in another way?"
    )]
    NotFinite,
    /// The model cannot read pictures: its input, its output or its class names do not fit.
    #[error("{argument}: {message}")]
    Unfit {
        /// Which argument of [`Recognizer::new`](crate::Recognizer::new).
        argument: &'static str,
        /// What was expected, what came.
        message: String,
    },
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
