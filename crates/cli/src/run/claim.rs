//! A run's claim on its folder: locked while it works, and left as it was when the run does not get as far as training.

use super::aside;
use super::folder::{RUNS, RunFolder};
use super::lock::Lock;
use super::written::Written;
use crate::output::Console;
use anyhow::{Context, bail};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Holds a run folder.
///
/// From [`Claim::begin_anew`] until [`Claim::begun`], dropping the claim undoes everything: files that were written are removed, old
/// files come back, and folders that were made for the run go.
#[derive(Debug)]
pub struct Claim {
    folder: RunFolder,
    lock: Option<Lock>,
    /// Folders that were made for it, the outermost first.
    made: Vec<PathBuf>,
    /// What to undo.
    undo: Mutex<Option<Written>>,
    /// The ensemble that the run is a member of.
    parent: OnceLock<Arc<Claim>>,
}

impl Claim {
    /// Claims a folder, and makes it where it does not exist.
    ///
    /// # Errors
    /// When another process holds it, or it cannot be made or written to.
    pub fn take(folder: RunFolder, console: &Console) -> anyhow::Result<Claim> {
        let made = make(&folder.path)?;
        Claim::of(folder, made, console)
    }

    /// Makes and claims the first `runs/NAME-N` that does not exist.
    ///
    /// # Errors
    /// When no folder can be made here.
    pub fn next(name: &str, console: &Console) -> anyhow::Result<Claim> {
        let mut made =
            make(Path::new(RUNS)).with_context(|| format!("{RUNS}: the folder cannot be made here; give --out DIR"))?;
        for n in 1..=1_000_000 {
            let path = Path::new(RUNS).join(format!("{name}-{n}"));
            match fs::create_dir(&path) {
                Ok(()) => {
                    made.push(path.clone());
                    return Claim::of(RunFolder { path }, made, console);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => {
                    remove(&made);
                    let message = format!("{}: the run folder cannot be made; give --out DIR", path.display());
                    return Err(error).with_context(|| message);
                }
            }
        }
        bail!("{RUNS}: a million runs of {name} exist already; give --out DIR")
    }

    fn of(folder: RunFolder, made: Vec<PathBuf>, console: &Console) -> anyhow::Result<Claim> {
        let lock = match Lock::take(&folder.path, console) {
            Ok(lock) => lock,
            Err(error) => {
                remove(&made);
                return Err(error);
            }
        };
        let claim = Claim { folder, lock: Some(lock), made, undo: Mutex::new(None), parent: OnceLock::new() };
        let path = &claim.folder.path;
        aside::recover(path).with_context(|| format!("{}: the run that was here before cannot be put back", path.display()))?;
        Ok(claim)
    }

    /// Makes it a member of an ensemble, whose folder `parent` holds; the first call counts.
    pub fn set_parent(&self, parent: Arc<Claim>) {
        let _ = self.parent.set(parent);
    }

    /// The folder.
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Begins a new run: `old` files (relative to the folder) make room for it. They come back when the run does not get as far as
    /// training; what `written` names is removed then.
    ///
    /// # Errors
    /// When the files cannot be moved.
    pub fn begin_anew(&self, written: Written, old: &[PathBuf]) -> anyhow::Result<()> {
        let path = &self.folder.path;
        aside::set_aside(path, old).with_context(|| format!("{}: the old run cannot be moved aside", path.display()))?;
        *self.undo.lock().unwrap_or_else(PoisonError::into_inner) = Some(written);
        Ok(())
    }

    /// Training has begun: nothing is undone any more, and old files go.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn begun(&self) -> std::io::Result<()> {
        if let Some(parent) = self.parent.get() {
            parent.begun()?;
        }
        let undo = self.undo.lock().unwrap_or_else(PoisonError::into_inner).take();
        undo.map_or(Ok(()), |_| aside::discard(&self.folder.path))
    }

    /// Removes temporary files of processes that were killed while they wrote what `written` names.
    pub fn remove_leftovers(&self, written: &Written) {
        for file in written.leftovers(&self.folder.path) {
            // What cannot be removed is in nobody's way.
            let _ = fs::remove_file(self.folder.path.join(file));
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let path = &self.folder.path;
        if let Some(written) = self.undo.lock().unwrap_or_else(PoisonError::into_inner).take() {
            for file in written.files(path).into_iter().chain(written.leftovers(path)) {
                let _ = fs::remove_file(path.join(&file));
                aside::remove_empty(path, &file);
            }
            // What cannot be put back now is put back by the next process that claims the folder.
            let _ = aside::put_back(path);
        }
        if self.lock.take().is_some() {
            remove(&self.made);
        }
    }
}

/// Makes a folder with all folders above it; those that were made, the outermost first.
fn make(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let missing: Vec<&Path> = path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    let mut made = Vec::new();
    for path in missing.into_iter().rev() {
        match fs::create_dir(path) {
            Ok(()) => made.push(path.to_owned()),
            // Another process was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => {}
            Err(error) => {
                remove(&made);
                return Err(error)
                    .with_context(|| format!("{}: the run folder cannot be made; give another --out", path.display()));
            }
        }
    }
    Ok(made)
}

/// Removes folders that were made, as far as they are empty.
fn remove(made: &[PathBuf]) {
    let _ = made.iter().rev().try_for_each(fs::remove_dir);
}

#[cfg(test)]
mod tests {
    use super::*;
    use maobi_train::Recipe;

    const QUIET: Console = Console { json: false, quiet: true };

    fn written() -> Written {
        Written::of(&Recipe::builtin("tiny-cnn").unwrap())
    }

    #[test]
    fn a_start_that_fails_leaves_no_folder_behind() {
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(place.path().join("a/b"));
        let claim = Claim::take(folder.clone(), &QUIET).unwrap();
        claim.begin_anew(written(), &[]).unwrap();
        fs::write(folder.config(), "").unwrap();
        fs::create_dir(folder.backup()).unwrap();
        fs::write(folder.backup().join("backup.keras"), "").unwrap();
        drop(claim);
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
        // An existing folder stays, and so does what others put into a new one.
        fs::create_dir_all(&folder.path).unwrap();
        drop(Claim::take(folder.clone(), &QUIET).unwrap());
        assert_eq!(fs::read_dir(&folder.path).unwrap().count(), 0);
    }

    #[test]
    fn a_run_that_has_begun_stays() {
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(place.path().join("run"));
        let claim = Claim::take(folder.clone(), &QUIET).unwrap();
        claim.begin_anew(written(), &[]).unwrap();
        fs::write(folder.config(), "").unwrap();
        claim.begun().unwrap();
        drop(claim);
        assert!(folder.has_run());
    }

    #[test]
    fn an_old_run_stays_until_the_new_one_has_begun() {
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(place.path());
        fs::write(folder.config(), "old").unwrap();
        let again = |begun: bool| {
            let claim = Claim::take(folder.clone(), &QUIET).unwrap();
            claim.begin_anew(written(), &written().files(&folder.path)).unwrap();
            assert!(!folder.has_run());
            fs::write(folder.config(), "new").unwrap();
            if begun {
                claim.begun().unwrap();
            }
            drop(claim);
            assert_eq!(fs::read_dir(&folder.path).unwrap().count(), 1);
            fs::read_to_string(folder.config()).unwrap()
        };
        assert_eq!(again(false), "old");
        assert_eq!(again(true), "new");
    }
}
