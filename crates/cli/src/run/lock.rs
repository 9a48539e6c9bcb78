//! One process at a time writes to a run folder.

use super::owner::Owner;
use crate::output::{Console, duration};
use anyhow::{Context, anyhow, bail};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// The file that is locked. Its text says who holds it.
const FILE: &str = ".lock";
/// How often a lock file is opened again that its owner removed in the meantime.
const TRIES: usize = 100;

/// Held while a process writes to a folder. The system releases it when the process ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Locks a folder that exists. A lock that was left by a process that no longer runs is taken over, and a line on stderr says so.
    ///
    /// # Errors
    /// When another process holds it; the message says which. When the lock file cannot be written.
    pub fn take(folder: &Path, console: &Console) -> anyhow::Result<Lock> {
        let path = folder.join(FILE);
        for _ in 0..TRIES {
            let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
            let mut file = open.with_context(|| format!("{}: the run folder cannot be written to", folder.display()))?;
            let locked = match file.try_lock() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock) => return Err(held(folder, &path, Owner::read(&mut file), "")),
                // This file system has no locks: only the text tells.
                Err(TryLockError::Error(_)) => false,
            };
            if !is_still_at(&file, &path) {
                continue;
            }
            if let Some(owner) = Owner::read(&mut file) {
                if !locked && owner.may_run() {
                    let hint = format!(". If that process is gone, remove {}", path.display());
                    return Err(held(folder, &path, Some(owner), &hint));
                }
                console.say(&format!("{}: taken over from {owner}, which was killed", folder.display()));
            }
            Owner::this().write(&mut file).with_context(|| format!("{}: cannot be written", path.display()))?;
            return Ok(Lock { path, file });
        }
        bail!("{}: other processes lock and release the folder all the time; try again", folder.display())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // An empty file says that nobody was killed here.
        let _ = self.file.set_len(0);
        // Only where `is_still_at` notices a removed file, two processes cannot end up with two files of this name.
        if cfg!(unix) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn held(folder: &Path, lock: &Path, owner: Option<Owner>, hint: &str) -> anyhow::Error {
    let owner = owner.map_or_else(|| "another process".to_owned(), |owner| owner.to_string());
    let age = fs::metadata(lock).and_then(|about| about.modified()).ok().and_then(|since| since.elapsed().ok());
    let since = age.map(|age| format!(", since {} ago", duration(age.as_secs_f64()))).unwrap_or_default();
    let folder = folder.display();
    anyhow!(
        "{folder}: {owner} is training in this folder{since}. Wait until it ends, stop it, or choose another folder with --out{hint}"
    )
}

/// Whether `path` still names the file: its owner removes it before it releases the lock.
#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same = |a: fs::Metadata, b: fs::Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    file.metadata().ok().zip(fs::metadata(path).ok()).is_some_and(|(a, b)| same(a, b))
}

#[cfg(not(unix))]
fn is_still_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_is_refused_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let quiet = Console { quiet: true, ..Console::default() };
        let lock = Lock::take(folder.path(), &quiet).unwrap();
        let message = Lock::take(folder.path(), &quiet).unwrap_err().to_string();
        let process = format!("process {}", std::process::id());
        assert!(message.contains(&process) && message.contains(" ago. Wait") && message.contains("--out"), "{message}");
        drop(lock);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), usize::from(!cfg!(unix)));
        Lock::take(folder.path(), &quiet).unwrap();
    }

    #[test]
    fn what_a_killed_process_left_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        // Whatever stands in it: the system has released the lock.
        for text in ["pid = 1\nhost = \"other\"\n", "not what is expected", ""] {
            fs::write(folder.path().join(FILE), text).unwrap();
            Lock::take(folder.path(), &Console { quiet: true, ..Console::default() }).unwrap();
        }
    }
}
