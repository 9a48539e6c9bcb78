//! Fetching the published files: several mirrors in turn, resumed where a transfer broke off, verified, and in place whole or not
//! at all.
//!
//! A file arrives as `NAME.gz.part`, is unpacked and verified on the way into a temporary file, and is then renamed to `NAME`. A lock
//! file keeps two processes from working on one folder at once.

mod client;
mod lock;
mod tables;
mod unpack;

use std::fs;
use std::path::{Path, PathBuf};

pub use client::Timeouts;
pub use tables::{Check, Remote, files, mirrors};

use crate::error::DataError;
use crate::progress::Progress;
use client::{Client, Transfer};

/// How often one mirror is asked again when each time some more bytes came.
const TRIES: u32 = 5;

/// Fetches files.
pub struct Downloader<'p> {
    client: Client,
    progress: &'p dyn Progress,
}

/// Why a mirror did not do.
enum Failure {
    /// No answer at all: perhaps this machine is offline.
    Unreachable(String),
    /// An answer that is of no use.
    Useless(String),
    /// Nothing another mirror could change: the disk is full, the folder may not be written.
    Fatal(DataError),
}

impl<'p> Downloader<'p> {
    /// A downloader that uses the proxy of the environment (`ALL_PROXY`, `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).
    pub fn new(progress: &'p dyn Progress) -> Self {
        Downloader { client: Client::new(Timeouts::default(), true), progress }
    }

    /// A downloader with times and use of the environment's proxy as given.
    pub fn with(progress: &'p dyn Progress, timeouts: Timeouts, proxy: bool) -> Self {
        Downloader { client: Client::new(timeouts, proxy), progress }
    }

    /// Fetches each of `files` that is not in `folder` yet, from the first of `mirrors` (addresses of folders, each with a slash at
    /// the end) that has it, and unpacks it there. `dataset` is the name for errors.
    ///
    /// # Errors
    /// [`DataError::Offline`] when no mirror answers at all, [`DataError::Download`] with what each mirror did when none delivers the
    /// true bytes, [`DataError::Write`].
    pub fn fetch(&self, dataset: &str, files: &[Remote<'_>], mirrors: &[String], folder: &Path) -> Result<(), DataError> {
        if files.iter().all(|file| folder.join(file.name).is_file()) {
            return Ok(());
        }
        fs::create_dir_all(folder).map_err(DataError::write(folder))?;
        let lock = lock::Lock::take(folder, self.progress)?;
        for file in files {
            // Looked at under the lock: the other process may have fetched it meanwhile.
            if !folder.join(file.name).is_file() {
                self.fetch_one(dataset, file, mirrors, &lock.part(folder, file.name), folder)?;
            }
        }
        Ok(())
    }

    fn fetch_one(
        &self,
        dataset: &str,
        file: &Remote<'_>,
        mirrors: &[String],
        part: &Path,
        folder: &Path,
    ) -> Result<(), DataError> {
        let mut attempts = Vec::new();
        let mut answered = false;
        for mirror in mirrors {
            let address = format!("{mirror}{}.gz", file.name);
            match self.try_mirror(file, &address, part, &folder.join(file.name)) {
                Ok(()) => return Ok(()),
                Err(Failure::Fatal(error)) => return Err(error),
                Err(Failure::Unreachable(reason)) => attempts.push(format!("{address}: {reason}")),
                Err(Failure::Useless(reason)) => {
                    answered = true;
                    attempts.push(format!("{address}: {reason}"));
                }
            }
        }
        if answered {
            let name = format!("{dataset}: {}.gz", file.name);
            return Err(DataError::Download { file: name, attempts, advice: String::new() });
        }
        let cause = attempts.into_iter().next().unwrap_or_else(|| "no mirror is known".to_owned());
        Err(DataError::Offline { dataset: dataset.to_owned(), cause, advice: String::new() })
    }

    fn try_mirror(&self, file: &Remote<'_>, address: &str, part: &Path, target: &Path) -> Result<(), Failure> {
        for _ in 0..TRIES {
            let before = length(part);
            match self.client.transfer(address, part, file.most_packed(), self.progress) {
                Ok(Transfer { resumed }) => match unpack::unpack(part, file, target) {
                    Err(Failure::Useless(reason)) => {
                        remove(part)?;
                        // The front part may have come from elsewhere: this mirror gets one chance to deliver it all.
                        if !resumed {
                            return Err(Failure::Useless(reason));
                        }
                    }
                    Err(other) => return Err(other),
                    Ok(()) => return remove(part),
                },
                // What came stays, for the next try or the next mirror to go on from.
                Err(failure) if length(part) <= before => return Err(failure),
                Err(Failure::Fatal(error)) => return Err(Failure::Fatal(error)),
                Err(_) => {}
            }
        }
        Err(Failure::Useless(format!("the transfer broke off {TRIES} times")))
    }
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |data| data.len())
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::Fatal(DataError::write(path)(error))),
        _ => Ok(()),
    }
}

/// Where downloads are kept: `maobi` in the user's cache folder (`~/.cache/maobi` on Linux, where `XDG_CACHE_HOME` moves it).
///
/// `None` when the system names no home folder.
pub fn cache_dir() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "maobi").map(|dirs| dirs.cache_dir().to_path_buf())
}

#[cfg(test)]
mod tests;
