//! Files that are there in full or not at all.
//!
//! [`write()`], [`write_with`] and [`write_folder`] write to a temporary name in the same folder and rename it once the content is on the disk. A reader,
//! also after a crash, sees the old content or the new content, never a part of it.
//!
//! A process that is killed while it writes leaves its temporary file behind. [`temporary_of`] recognizes such a file by its name.

use std::collections::hash_map::RandomState;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Digits of the random part of a temporary name.
const DIGITS: usize = 16;
/// How temporary names end.
const ENDING: &str = ".tmp";
/// How often another name is tried. One collision of 64 random bits is unlikely, several mean that something else is wrong.
const TRIES: usize = 8;

/// Writes `bytes` to `path` as a whole.
///
/// # Errors
/// What the system reports. The temporary file is removed, and an old file at `path` stays as it was.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_with(path, |error| error, |file| file.write_all(bytes))
}

/// Writes to `path` as a whole what `fill` writes.
///
/// # Errors
/// The error of `fill`, or what the system reports, turned into the caller's error by `fail`. The temporary file is removed, and an old
/// file at `path` stays as it was.
pub fn write_with<E>(
    path: &Path,
    fail: impl Fn(io::Error) -> E,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    let (temporary, file) = create_beside(path).map_err(&fail)?;
    let written = fill_and_sync(file, &fail, fill).and_then(|()| fs::rename(&temporary, path).map_err(&fail));
    match written {
        Ok(()) => sync_folder(path),
        // The failure to report is the first one.
        Err(_) => drop(fs::remove_file(&temporary)),
    }
    written
}

/// Writes a folder with these files, each at its path within the folder, as a whole. What stood at `path` before is replaced; after an
/// error it stands there as before.
///
/// # Errors
/// What the system reports. Nothing temporary stays behind.
pub fn write_folder(path: &Path, files: &[(PathBuf, Vec<u8>)]) -> io::Result<()> {
    let (new, old) = (temporary_beside(path), temporary_beside(path));
    let put = || {
        fs::create_dir(&new)?;
        for (file, bytes) in files {
            let file = new.join(file);
            file.parent().map_or(Ok(()), fs::create_dir_all)?;
            write(&file, bytes)?;
        }
        let replaces = path.symlink_metadata().is_ok();
        if replaces {
            fs::rename(path, &old)?;
        }
        let put = fs::rename(&new, path);
        if put.is_err() && replaces {
            let _ = fs::rename(&old, path);
        }
        put
    };
    let done = put();
    let _ = fs::remove_dir_all(&new);
    let _ = fs::remove_dir_all(&old);
    done
}

fn fill_and_sync<E>(
    file: File,
    fail: &impl Fn(io::Error) -> E,
    fill: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    let mut file = BufWriter::with_capacity(1 << 16, file);
    fill(&mut file)?;
    file.flush().map_err(fail)?;
    file.get_ref().sync_all().map_err(fail)
}

/// A new file beside `path`, and its name.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut tries = 0;
    loop {
        let temporary = temporary_beside(path);
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists && tries < TRIES => tries += 1,
            Err(error) => return Err(error),
        }
    }
}

/// A hidden name beside `path` that no other process or thread uses: `.NAME.RANDOM.tmp`.
///
/// The random part does not depend on the process number: in two containers that share a folder, both processes may have number 1.
pub fn temporary_beside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    // The keys of a `RandomState` come from the system.
    let mut random = RandomState::new().build_hasher();
    random.write_u64(COUNT.fetch_add(1, Ordering::Relaxed));
    random.write_u32(std::process::id());
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{:0DIGITS$x}{ENDING}", random.finish()));
    path.with_file_name(name)
}

/// The NAME of the file that a temporary file called `name` was to become; `None` for other names.
///
/// Knows the names of earlier releases (`.NAME.PID-N.tmp`) too.
pub fn temporary_of(name: &str) -> Option<&str> {
    let (target, middle) = name.strip_prefix('.')?.strip_suffix(ENDING)?.rsplit_once('.')?;
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let random = middle.len() == DIGITS && middle.bytes().all(|b| b.is_ascii_hexdigit());
    let counted = middle.split_once('-').is_some_and(|(pid, n)| number(pid) && number(n));
    (!target.is_empty() && (random || counted)).then_some(target)
}

/// Makes the new name last. Not every system can open a folder; the content is safe without.
fn sync_folder(path: &Path) {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        write(&path, b"old").unwrap();
        write(&path, b"new content").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new content");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failure_keeps_the_old_file_and_leaves_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        write(&path, b"old").unwrap();
        let fail = |error: io::Error| error.to_string();
        let failed = write_with(&path, fail, |out| {
            out.write_all(b"new").map_err(fail)?;
            Err("no more".to_owned())
        });
        assert_eq!(failed, Err("no more".into()));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        // A folder of that name cannot be replaced by a file.
        let taken = folder.path().join("taken");
        fs::create_dir(&taken).unwrap();
        write(&taken, b"x").unwrap_err();
        assert!(taken.is_dir());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn temporary_names_differ_and_are_recognized() {
        let path = Path::new("runs/model.keras");
        let names: std::collections::HashSet<PathBuf> = (0..1000).map(|_| temporary_beside(path)).collect();
        assert_eq!(names.len(), 1000);
        for name in names {
            assert_eq!(name.parent(), Some(Path::new("runs")));
            let name = name.file_name().unwrap().to_str().unwrap().to_owned();
            assert_eq!(temporary_of(&name), Some("model.keras"), "{name}");
            assert!(!name.contains(&format!(".{}-", std::process::id())), "{name}");
        }
        assert_eq!(temporary_of(".model.keras.1-0.tmp"), Some("model.keras"));
        for other in
            ["model.keras", ".model.keras.tmp", "model.keras.1-0.tmp", ".x.0123.tmp", ".x.1-.tmp", "..1-1.tmp", ".x.a-1.tmp"]
        {
            assert_eq!(temporary_of(other), None, "{other}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_a_plain_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        write(&ours, b"x").unwrap();
        fs::write(&plain, b"x").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
