//! Old results are kept until a new run really trains: `--overwrite` moves them aside first.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Where old files wait. While this folder exists, no new run has begun.
const WAITING: &str = ".previous";
/// Old files on their way out: the new run has begun.
const LEAVING: &str = ".discarded";

/// Moves files (relative to `folder`) aside. When that fails, all are put back.
pub fn set_aside(folder: &Path, files: &[PathBuf]) -> io::Result<()> {
    let waiting = folder.join(WAITING);
    fs::create_dir_all(&waiting)?;
    let moved = files.iter().try_for_each(|file| {
        move_file(&folder.join(file), &waiting.join(file))?;
        remove_empty(folder, file);
        Ok(())
    });
    if moved.is_err() {
        put_back(folder)?;
    }
    moved
}

/// Puts all files that wait back where they were.
pub fn put_back(folder: &Path) -> io::Result<()> {
    let waiting = folder.join(WAITING);
    for file in files_below(&waiting, Path::new(""))? {
        move_file(&waiting.join(&file), &folder.join(&file))?;
    }
    remove_all(&waiting)
}

/// Removes all files that wait.
pub fn discard(folder: &Path) -> io::Result<()> {
    match fs::rename(folder.join(WAITING), folder.join(LEAVING)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        renamed => renamed?,
    }
    remove_all(&folder.join(LEAVING))
}

/// Ends what a killed process began: removes what was on its way out, puts back what waits.
pub fn recover(folder: &Path) -> io::Result<()> {
    remove_all(&folder.join(LEAVING))?;
    put_back(folder)
}

fn move_file(from: &Path, to: &Path) -> io::Result<()> {
    to.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::rename(from, to)
}

/// Removes the folders of a file (relative to `folder`) that have become empty.
pub fn remove_empty(folder: &Path, file: &Path) {
    for inside in file.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()) {
        if fs::remove_dir(folder.join(inside)).is_err() {
            break;
        }
    }
}

fn remove_all(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// All files below a folder, relative to it; none when it does not exist.
fn files_below(folder: &Path, inside: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder.join(inside)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        let path = inside.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            files.extend(files_below(folder, &path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("config.toml", "old"), ("a/b/model.keras", "old"), ("notes.txt", "mine")] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn ours() -> [PathBuf; 2] {
        ["config.toml".into(), "a/b/model.keras".into()]
    }

    #[test]
    fn files_come_back_over_what_a_failed_start_wrote() {
        let folder = folder();
        set_aside(folder.path(), &ours()).unwrap();
        assert!(!folder.path().join("a").exists() && folder.path().join("notes.txt").is_file());
        fs::write(folder.path().join("config.toml"), "new").unwrap();
        recover(folder.path()).unwrap();
        for file in ours() {
            assert_eq!(fs::read_to_string(folder.path().join(file)).unwrap(), "old");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn files_that_were_discarded_stay_away() {
        let folder = folder();
        set_aside(folder.path(), &ours()).unwrap();
        fs::write(folder.path().join("config.toml"), "new").unwrap();
        discard(folder.path()).unwrap();
        recover(folder.path()).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("config.toml")).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        // A process that was killed while it removed them.
        fs::create_dir(folder.path().join(LEAVING)).unwrap();
        fs::write(folder.path().join(LEAVING).join("config.toml"), "old").unwrap();
        recover(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_cannot_be_moved_changes_nothing() {
        let folder = folder();
        set_aside(folder.path(), &["config.toml".into(), "none".into()]).unwrap_err();
        assert!(folder.path().join("config.toml").is_file() && !folder.path().join(WAITING).exists());
    }
}
