//! One process at a time in a cache folder.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::progress::Progress;

/// Held while a folder is filled; the system lets go of it when the process ends, however it ends.
pub(super) struct Lock {
    /// `None` where the file system knows no locks.
    file: Option<File>,
}

impl Lock {
    /// Waits until nobody else fills `folder`.
    pub(super) fn take(folder: &Path, progress: &dyn Progress) -> Result<Self, DataError> {
        let path = folder.join(".lock");
        let file = File::create(&path).map_err(DataError::write(&path))?;
        let locked = match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => {
                progress.message(&format!("another process fills {}: waiting for it", folder.display()));
                file.lock().is_ok()
            }
            Err(TryLockError::Error(_)) => false,
        };
        if locked {
            remove_leftovers(folder);
        }
        Ok(Lock { file: locked.then_some(file) })
    }

    /// Where the packed bytes of `name` gather: one name to go on from later, or one of our own where nothing is locked.
    pub(super) fn part(&self, folder: &Path, name: &str) -> PathBuf {
        let part = folder.join(format!("{name}.gz.part"));
        if self.file.is_some() { part } else { maobi_files::temporary_beside(&part) }
    }
}

/// Removes the temporary files of processes that were killed. Nobody else writes here while the lock is held.
fn remove_leftovers(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().and_then(maobi_files::temporary_of).is_some() {
            // What cannot be removed is only in the way of disk space.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
