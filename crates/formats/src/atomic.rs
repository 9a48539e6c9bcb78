//! Files that are there in full or not at all.

use crate::error::{Error, Result};
use std::path::Path;

/// Writes `bytes` to `path`: first to a temporary name in the same folder, then, once they are on the disk, under its own name.
///
/// A reader, also after a crash, sees the old content or the new content, never a part of it.
///
/// # Errors
/// [`Error::Io`] when the folder cannot be written to; the temporary file is removed and an old file stays as it was.
pub fn atomic_write(path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
    let path = path.as_ref();
    maobi_files::write(path, bytes).map_err(Error::io(path, "write"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = atomic_write(folder.path().join("none").join("a.bin"), b"x").unwrap_err().to_string();
        assert!(error.contains("a.bin: cannot write: "), "{error}");
    }
}
