//! Why a picture could not be read, and what to do about it.

use std::io;

/// A picture that could not be read. Every message names the file, what was wrong and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The file cannot be opened or read.
    #[error("{file}: cannot be read: {source}; check the path and its permissions")]
    Read {
        /// Name of the file or stream.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// The path is a folder.
    #[error("{file}: is a folder, not a picture; name the pictures inside it")]
    Folder {
        /// Name of the folder.
        file: String,
    },
    /// The path is a named pipe, a socket or a device.
    #[error("{file}: is {found}, not a picture file; give the path of a file, or - to read standard input")]
    NotAFile {
        /// The path.
        file: String,
        /// What is there.
        found: &'static str,
    },
    /// There is nothing in it.
    #[error("{file}: the file is empty (0 bytes); copy or download it again")]
    Empty {
        /// Name of the file or stream.
        file: String,
    },
    /// The file is larger than [`Limits::max_bytes`](super::Limits::max_bytes).
    #[error("{file}: the file has {} bytes, the limit is {limit}; shrink the picture or raise the limit", at_least(.bytes, .limit))]
    TooManyBytes {
        /// Name of the file or stream.
        file: String,
        /// Size of the file, or `None` for a stream that was read no further.
        bytes: Option<u64>,
        /// The limit that was in force.
        limit: u64,
    },
    /// The content is no picture format that is read here.
    #[error("{file}: is {found}, not a picture that can be read; {hint}")]
    NotAPicture {
        /// Name of the file or stream.
        file: String,
        /// What the first bytes look like.
        found: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// The picture has more pixels than [`Limits::max_pixels`](super::Limits::max_pixels).
    #[error("{file}: the picture is {width}×{height}, {pixels} pixels, the limit is {limit}; shrink the picture or raise the limit",
        pixels = u64::from(*width) * u64::from(*height))]
    TooManyPixels {
        /// Name of the file or stream.
        file: String,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// The limit that was in force.
        limit: u64,
    },
    /// A side is longer than [`Limits::max_side`](super::Limits::max_side).
    #[error(
        "{file}: the picture is {width}×{height}, the limit for a side is {limit}; crop or shrink the picture or raise the limit"
    )]
    TooLong {
        /// Name of the file or stream.
        file: String,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// The limit that was in force.
        limit: u32,
    },
    /// Decoding it would take more memory than the limits allow, whatever its header says.
    #[error("{file}: decoding this {format} takes more memory than the limits allow; save it anew as an ordinary PNG or JPEG")]
    TooMuchMemory {
        /// Name of the file or stream.
        file: String,
        /// Format found in the content.
        format: &'static str,
    },
    /// The format is known but this kind of it is not read.
    #[error("{file}: this kind of {format} cannot be read ({detail}); save it as an 8-bit PNG or as JPEG")]
    Unsupported {
        /// Name of the file or stream.
        file: String,
        /// Format found in the content.
        format: &'static str,
        /// What the decoder said.
        detail: String,
    },
    /// The content breaks off or contradicts itself.
    #[error("{file}: the {format} is damaged or cut short ({detail}); copy or download it again, or save it anew")]
    Damaged {
        /// Name of the file or stream.
        file: String,
        /// Format found in the content.
        format: &'static str,
        /// What the decoder said.
        detail: String,
    },
}

/// A stream is read no further than the limit, so its size is only known to be above it.
fn at_least(bytes: &Option<u64>, limit: &u64) -> String {
    match bytes {
        Some(bytes) => bytes.to_string(),
        None => format!("more than {limit}"),
    }
}
