//! From what the user names to files of pictures: files, folders, globs, and `-` for standard input.

use super::patterns::{self, DEPTH};
use crate::output::error;
use std::path::{Path, PathBuf};

/// Endings of pictures, for folders; files that are named are read whatever they are called.
const ENDINGS: [&str; 9] = ["png", "jpg", "jpeg", "bmp", "gif", "webp", "tif", "tiff", "jfif"];

/// The name that stands for standard input.
pub fn is_stdin(name: &Path) -> bool {
    name.as_os_str() == "-"
}

/// Files of pictures, those in folders and of patterns in natural order; whether there was a folder or pattern without any.
///
/// A pattern is taken for one only where no file has that very name, so that `scan[1].png` can be read.
pub fn expand(names: &[PathBuf]) -> (Vec<PathBuf>, bool) {
    let (mut files, mut failed) = (Vec::new(), false);
    for name in names {
        let found = match patterned(name) {
            Some(pattern) => matches(&pattern, &mut files),
            None => add(name, &mut files),
        };
        if let Err(reason) = found {
            error(&reason);
            failed = true;
        }
    }
    (files, failed)
}

/// A named file, or the pictures of a folder.
fn add(name: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    if !name.is_dir() {
        files.push(name.to_path_buf());
        return Ok(());
    }
    let before = files.len();
    walk(name, DEPTH, files).map_err(|reason| format!("{}: the folder cannot be read: {reason}", name.display()))?;
    if files.len() == before {
        return Err(format!("{}: there are no pictures in this folder (looked for {})", name.display(), ENDINGS.join(", ")));
    }
    Ok(())
}

/// The name as a pattern, if it is one and no file's.
fn patterned(name: &Path) -> Option<String> {
    let text = name.to_str()?;
    (text.contains(['*', '?', '[']) && !name.exists()).then(|| text.to_owned())
}

/// What a pattern matches: files whatever their ending, and the pictures of folders.
fn matches(pattern: &str, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let mut found = patterns::find(pattern)?;
    if found.is_empty() {
        return Err(format!("{pattern}: no file has such a name"));
    }
    found.sort_by_cached_key(|path| natural(&path.to_string_lossy()));
    found.iter().try_for_each(|path| add(path, files))
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    entries.sort_by_cached_key(|path| natural(&path.to_string_lossy()));
    for path in entries {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        if hidden {
            continue;
        } else if path.is_dir() && depth > 0 {
            walk(&path, depth - 1, files)?;
        } else if path.is_file() && ENDINGS.contains(&ending.as_str()) {
            files.push(path);
        }
    }
    Ok(())
}

/// Sorts `2.png` before `10.png`: numbers become their length and digits.
fn natural(name: &str) -> Vec<(usize, String)> {
    let mut parts: Vec<(usize, String)> = Vec::new();
    let mut in_number = false;
    for c in name.chars() {
        let digit = c.is_ascii_digit();
        match parts.last_mut() {
            Some((length, text)) if digit == in_number => {
                text.push(c);
                *length += usize::from(digit);
            }
            _ => parts.push((usize::from(digit), c.to_string())),
        }
        in_number = digit;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[PathBuf]) -> Vec<&str> {
        files.iter().map(|f| f.file_name().unwrap().to_str().unwrap()).collect()
    }

    #[test]
    fn folders_are_walked_in_natural_order() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["10.png", "2.png", "x.txt", ".hidden.png", "1.JPG"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        std::fs::create_dir(folder.path().join("empty")).unwrap();
        let (files, failed) = expand(&[folder.path().to_path_buf(), "named.anything".into()]);
        assert_eq!((names(&files), failed), (vec!["1.JPG", "2.png", "10.png", "named.anything"], false));
        assert!(expand(&[folder.path().join("empty")]).1);
    }

    #[test]
    fn patterns_are_expanded_unless_a_file_has_that_name() {
        let folder = tempfile::tempdir().unwrap();
        let inside = |name: &str| folder.path().join(name);
        std::fs::create_dir(inside("sub")).unwrap();
        for name in ["10.png", "9.png", "a.txt", "scan[1].png", "sub/7.png", ".x.png"] {
            std::fs::write(inside(name), "").unwrap();
        }
        assert_eq!(names(&expand(&[inside("*.png")]).0), ["9.png", "10.png", "scan[1].png"]);
        assert_eq!(names(&expand(&[inside("s*")]).0), ["scan[1].png", "7.png"]);
        assert_eq!(names(&expand(&[inside("scan[1].png")]).0), ["scan[1].png"]);
        assert_eq!(names(&expand(&[inside("?.png"), inside("**/7.png")]).0), ["9.png", "7.png"]);
        let (files, failed) = expand(&[inside("*.jpg"), inside("[.png"), inside("9.png")]);
        assert_eq!((names(&files), failed), (vec!["9.png"], true));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn names_that_are_no_utf8_are_found() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        // 手写 in GBK, as archives from Windows have it; in a folder of such a name, too.
        let gbk = std::ffi::OsStr::from_bytes(b"\xca\xd6\xd0\xb4.png");
        let inner = folder.path().join(std::ffi::OsStr::from_bytes(b"\xca\xd6"));
        std::fs::create_dir(&inner).unwrap();
        let all = [folder.path().join(gbk), inner.join(gbk), folder.path().join("a.png")];
        all.iter().for_each(|file| std::fs::write(file, "").unwrap());
        let found = |pattern: &str| {
            let (mut files, failed) = expand(&[folder.path().join(pattern)]);
            assert!(!failed, "{pattern}");
            files.sort();
            files
        };
        let mut expected = all.to_vec();
        expected.sort();
        assert_eq!((found("**/*.png"), found("*/*.png")), (expected.clone(), vec![all[1].clone()]));
        assert_eq!(expand(&[folder.path().to_path_buf()]).0.len(), 3);
        assert_eq!(expand(&[all[0].clone()]), (vec![all[0].clone()], false));
    }
}
