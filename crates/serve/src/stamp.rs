//! Whether a file is still the one that was read.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Names, sizes and times of all files that belong to a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp(Vec<(PathBuf, u64, Option<SystemTime>, u64)>);

/// Of a file, of the files of a folder, or of all files whose names begin like the prefix of a checkpoint; `None` when there is none.
pub fn stamp(path: &Path) -> Option<Stamp> {
    let mut files: Vec<PathBuf> = if path.is_file() {
        vec![path.to_path_buf()]
    } else {
        let (folder, prefix) = match path.is_dir() {
            true => (path, ""),
            false => (path.parent()?, path.file_name()?.to_str()?),
        };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let all = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
        all.filter(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))).collect()
    };
    files.sort();
    let one = |file: PathBuf| {
        let meta = std::fs::metadata(&file).ok()?;
        Some((file, meta.len(), meta.modified().ok(), inode(&meta)))
    };
    let stamps: Vec<_> = files.into_iter().filter_map(one).collect();
    (!stamps.is_empty()).then_some(Stamp(stamps))
}

/// A file that was renamed over another is another.
#[cfg(unix)]
fn inode(meta: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

#[cfg(not(unix))]
fn inode(_: &std::fs::Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_shows() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("m.ckpt.index");
        let prefix = folder.path().join("m.ckpt");
        assert_eq!((stamp(&file), stamp(&prefix)), (None, None));
        std::fs::write(&file, "1").unwrap();
        let before = [&file, &prefix, &folder.path().to_path_buf()].map(|path| stamp(path).unwrap());
        assert_eq!(stamp(&file).as_ref(), Some(&before[0]));
        // Another file of the same size under the same name.
        std::fs::write(folder.path().join("new"), "2").unwrap();
        std::fs::rename(folder.path().join("new"), &file).unwrap();
        let after = [&file, &prefix, &folder.path().to_path_buf()].map(|path| stamp(path).unwrap());
        assert!(before.iter().zip(&after).all(|(a, b)| a != b));
    }
}
