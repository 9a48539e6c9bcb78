//! Files that appear whole or not at all, with this crate's errors.

use std::io::Write;
use std::path::Path;

use crate::error::DataError;

/// Writes `path` through a temporary name: `fill` writes, then the file is synced and renamed. On an error nothing stays behind.
///
/// # Errors
/// [`DataError::Write`], or the error of `fill`.
pub(crate) fn write_whole(path: &Path, fill: impl FnOnce(&mut dyn Write) -> Result<(), DataError>) -> Result<(), DataError> {
    maobi_files::write_with(path, |error| DataError::write(path)(error), fill)
}
