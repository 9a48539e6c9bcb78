//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::error::DataError;

/// A name beside `path` that no other thread or process uses.
pub(crate) fn temporary_beside(path: &Path) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

/// Writes `path` through a temporary name: `fill` writes, then the file is synced and renamed. On an error nothing stays behind.
///
/// # Errors
/// [`DataError::Write`], or the error of `fill`.
pub(crate) fn write_whole(path: &Path, fill: impl FnOnce(&mut dyn Write) -> Result<(), DataError>) -> Result<(), DataError> {
    let temporary = temporary_beside(path);
    let written = fill_and_sync(&temporary, fill).and_then(|()| fs::rename(&temporary, path).map_err(DataError::write(path)));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn fill_and_sync(path: &Path, fill: impl FnOnce(&mut dyn Write) -> Result<(), DataError>) -> Result<(), DataError> {
    let mut file = BufWriter::with_capacity(1 << 16, File::create(path).map_err(DataError::write(path))?);
    fill(&mut file)?;
    file.flush().map_err(DataError::write(path))?;
    file.get_ref().sync_all().map_err(DataError::write(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_leaves_the_old_file_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        write_whole(&path, |out| out.write_all(b"old").map_err(DataError::write("f"))).unwrap();
        let failed = write_whole(&path, |out| {
            out.write_all(b"new").map_err(DataError::write("f"))?;
            Err(DataError::invalid("f", "a", "b"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
