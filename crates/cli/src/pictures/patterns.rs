//! Files whose names match a pattern such as `scans/**/*.png`.
//!
//! The `glob` crate knows what a pattern means, but its own walk panics on names that are not UTF-8, so folders are read here. In such a
//! name the bytes that are no characters match `*` and `?`.

use glob::{MatchOptions, Pattern};
use std::path::{Component, Path, PathBuf};

/// Folders below folders that are looked into.
pub(super) const DEPTH: usize = 16;

/// As the shells of most systems have it.
const MATCH: MatchOptions =
    MatchOptions { case_sensitive: !cfg!(windows), require_literal_separator: true, require_literal_leading_dot: true };

/// What the pattern asks of one part of a path.
enum Part<'a> {
    /// This name; also a root and `..`.
    Name(Component<'a>),
    /// A name that matches.
    Like(Pattern),
    /// `**`: any number of folders, or none.
    Folders,
}

/// Finds the files and folders that match, in no particular order. `?` and `*` stand for characters of one name, `[ab]` for one of them, `**` for folders; only a
/// dot that is written matches that of a hidden name.
///
/// # Errors
/// A sentence that names the pattern, or the folder that cannot be read.
pub fn find(pattern: &str) -> Result<Vec<PathBuf>, String> {
    let bad = |e: glob::PatternError| {
        format!("{pattern}: is no pattern of file names: {}; ? and * stand for any characters, [ab] for one of them", e.msg)
    };
    Pattern::new(pattern).map_err(bad)?;
    let part = |part| match part {
        Component::Normal(name) => match name.to_string_lossy() {
            text if text == "**" => Ok(Part::Folders),
            text if text.contains(['*', '?', '[']) => Pattern::new(&text).map(Part::Like).map_err(bad),
            _ => Ok(Part::Name(part)),
        },
        _ => Ok(Part::Name(part)),
    };
    let parts = Path::new(pattern).components().map(part).collect::<Result<Vec<_>, String>>()?;
    let mut found = vec![PathBuf::new()];
    for part in &parts {
        found =
            step(found, part).map_err(|(folder, e)| format!("{pattern}: {}: cannot be read: {e}", shown(&folder).display()))?;
    }
    if pattern.ends_with(std::path::is_separator) {
        found.retain(|path| path.is_dir());
    }
    Ok(found)
}

/// A folder that cannot be read, and why.
type Unread = (PathBuf, std::io::Error);

/// What `part` leads to from each of some paths.
fn step(from: Vec<PathBuf>, part: &Part<'_>) -> Result<Vec<PathBuf>, Unread> {
    let mut found = Vec::new();
    for path in from {
        match part {
            Part::Name(name) => {
                let next = path.join(name);
                // Also a link that leads nowhere: opening it says so.
                if next.symlink_metadata().is_ok() {
                    found.push(next);
                }
            }
            Part::Like(pattern) if shown(&path).is_dir() => {
                let names = entries(&path)?.into_iter();
                let like = names.filter(|entry| pattern.matches_with(&entry.file_name().to_string_lossy(), MATCH));
                found.extend(like.map(|entry| path.join(entry.file_name())));
            }
            Part::Like(_) => {}
            Part::Folders => folders(path, DEPTH, &mut found)?,
        }
    }
    Ok(found)
}

/// A folder and those below it, hidden ones and links left out.
fn folders(path: PathBuf, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Unread> {
    if !shown(&path).is_dir() {
        return Ok(());
    }
    if depth > 0 {
        for entry in entries(&path)? {
            let name = entry.file_name();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !name.to_string_lossy().starts_with('.') {
                folders(path.join(name), depth - 1, found)?;
            }
        }
    }
    found.push(path);
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<std::fs::DirEntry>, Unread> {
    let read = std::fs::read_dir(shown(folder)).and_then(Iterator::collect);
    read.map_err(|e| (folder.to_path_buf(), e))
}

/// The current folder for an empty path.
fn shown(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_shells_have_it() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a/b/1.png", "a/2.png", "a/.h/3.png", "a/.4.png", "a/\u{9}5.txt", "a/e\u{301}.png", "ü.png"] {
            let file = folder.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        let found = |pattern: &str| {
            let paths = find(folder.path().join(pattern).to_str().unwrap()).unwrap();
            let mut names: Vec<String> =
                paths.iter().map(|path| path.strip_prefix(folder.path()).unwrap().to_str().unwrap().to_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(found("*/*.png"), ["a/2.png", "a/e\u{301}.png"]);
        assert_eq!(found("**/[12].png"), ["a/2.png", "a/b/1.png"]);
        assert_eq!(found("a/**/1.png"), ["a/b/1.png"]);
        assert_eq!(found("a/.*.png"), ["a/.4.png"]);
        assert_eq!(found("a/.h/*"), ["a/.h/3.png"]);
        assert_eq!(found("?.png"), ["ü.png"]);
        assert_eq!(found("a/[!0-9]/"), ["a/b"]);
        assert_eq!(found("a/../a/2.p*"), ["a/../a/2.png"]);
        assert_eq!(found("nowhere/*.png"), [""; 0]);
        assert!(find("[").unwrap_err().starts_with("[: is no pattern of file names: "));
    }
}
