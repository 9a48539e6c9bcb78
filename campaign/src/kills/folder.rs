//! What a run leaves in its folder: compared byte for byte, and read back.

use anyhow::{Context as _, Result};
use maobi_formats::format;
use maobi_train::Recipe;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};

/// The file, and the member of a backup, that says where training was.
const STATE: &str = "training.json";

/// Most differences that are listed.
const SHOWN: usize = 5;

/// Files by their path within the folder.
pub type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// Everything that a finished run must repeat: all files but TensorBoard's, which hold the time of day; the table of figures and the kept
/// state of training without times, the settings without the number of threads.
pub fn tree(folder: &Path) -> Result<Tree> {
    let mut tree = Tree::new();
    for path in files(folder)? {
        let inner = path.strip_prefix(folder).unwrap_or(&path).to_path_buf();
        if inner.starts_with("logs") {
            continue;
        }
        let mut bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        if inner.ends_with("history.csv") {
            bytes = without_times(&String::from_utf8_lossy(&bytes)).into_bytes();
        } else if inner.ends_with("config.toml") {
            bytes = without_threads(&String::from_utf8_lossy(&bytes)).into_bytes();
        } else if inner.ends_with(STATE) {
            bytes = state_without_times(&bytes)?;
        } else if inner.ends_with("last.keras") {
            tree.extend(members(&inner, bytes)?);
            continue;
        }
        tree.insert(inner, bytes);
    }
    Ok(tree)
}

/// The members of an archive, as files below its name.
fn members(archive: &Path, bytes: Vec<u8>) -> Result<Tree> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes))?;
    let mut tree = Tree::new();
    for index in 0..zip.len() {
        let mut member = zip.by_index(index)?;
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes)?;
        let name = member.name()?.into_owned();
        let bytes = if name.ends_with(STATE) { state_without_times(&bytes)? } else { bytes };
        tree.insert(archive.join(name), bytes);
    }
    Ok(tree)
}

/// The state of training without how long epochs took and without the names of TensorBoard's files.
fn state_without_times(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut state: Value = serde_json::from_slice(bytes)?;
    for epoch in state["history"].as_array_mut().into_iter().flatten() {
        if let Some(epoch) = epoch.as_object_mut() {
            epoch.retain(|name, _| !name.contains("second"));
        }
    }
    if let Some(states) = state["states"].as_object_mut() {
        states.retain(|name, _| !name.starts_with("TensorBoard"));
    }
    Ok(state.to_string().into_bytes())
}

/// A table without the columns `seconds` and `images_per_second`.
fn without_times(table: &str) -> String {
    let header: Vec<&str> = table.lines().next().unwrap_or_default().split(',').collect();
    let keep = |(index, _): &(usize, &str)| !matches!(header.get(*index), Some(&("seconds" | "images_per_second")));
    let row = |line: &str| line.split(',').enumerate().filter(keep).map(|(_, cell)| cell).collect::<Vec<_>>().join(",");
    table.lines().map(row).collect::<Vec<_>>().join("\n")
}

/// The settings of a run without the number of threads, on which the result may not depend.
fn without_threads(config: &str) -> String {
    config.lines().filter(|line| !line.starts_with("threads = ")).collect::<Vec<_>>().join("\n")
}

/// All plain files below a folder; a folder that is not there holds none. Devices and pipes, which may have no end, and links are left
/// out.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a finished run must not leave this behind: files aside, backups, locks.
fn is_left(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.starts_with("backup") || name.starts_with('.') || name.ends_with(".tmp") || name.ends_with(".lock")
}

/// What a finished run left behind.
pub fn leftover(tree: &Tree) -> Option<String> {
    tree.keys().find(|path| is_left(path)).map(|path| path.display().to_string())
}

/// How two finished runs differ, file by file, the model first; [`leftover`] tells what was left behind.
pub fn difference(expected: &Tree, found: &Tree) -> Option<String> {
    let mut differences = Vec::new();
    for (path, bytes) in expected {
        match found.get(path) {
            None => differences.push(format!("{} is missing", path.display())),
            Some(other) if other != bytes => {
                let at = bytes.iter().zip(other).position(|(a, b)| a != b).unwrap_or(bytes.len().min(other.len()));
                let (length, right) = (other.len(), bytes.len());
                differences.push(format!("{} differs from byte {at} on ({length} bytes, expected {right})", path.display()));
            }
            Some(_) => {}
        }
    }
    let more = found.keys().filter(|path| !expected.contains_key(*path) && !is_left(path));
    differences.extend(more.map(|path| format!("{} should not be there", path.display())));
    differences.sort_by_key(|text| !text.starts_with("model.keras"));
    differences.truncate(SHOWN);
    (!differences.is_empty()).then(|| differences.join(", "))
}

/// Reads every model file of the folder, as the program does; the first that cannot be read, and why.
pub fn unreadable(folder: &Path, recipe: &str) -> Result<Option<String>> {
    let mut network = Recipe::parse(recipe, "killed")?.model(1)?;
    for path in files(folder)? {
        // A name that is not UTF-8 was an argument of the trial, and may be a model's by its ending alone.
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| !name.starts_with('.')) else { continue };
        let model = match name.strip_suffix(".index") {
            Some(prefix) => path.with_file_name(prefix),
            None if name.ends_with(".keras") || name.ends_with(".h5") => path.clone(),
            None => continue,
        };
        if model.is_dir() {
            // A folder has the name of a checkpoint: the folder is what is opened.
            continue;
        }
        let read = format::detect(&model).and_then(|format| match name.ends_with(".keras") {
            true => format.load(&model, 1).map(drop),
            false => format.load_weights(&mut network, &model).map(drop),
        });
        if let Err(error) = read {
            return Ok(Some(error.to_string()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_left_out_of_tables() {
        assert_eq!(without_times("epoch,loss,seconds,images_per_second\n1,0.5,0.1,9\n"), "epoch,loss\n1,0.5");
        assert_eq!(without_times("step,loss\n1,0.5\n"), "step,loss\n1,0.5");
    }

    #[test]
    fn differences_are_named() {
        let tree = |entries: &[(&str, &str)]| -> Tree {
            entries.iter().map(|(path, bytes)| (PathBuf::from(path), bytes.as_bytes().to_vec())).collect()
        };
        let whole = tree(&[("model.keras", "abc"), ("history.csv", "1")]);
        assert_eq!(difference(&whole, &whole), None);
        assert_eq!(
            difference(&whole, &tree(&[("model.keras", "abd"), ("history.csv", "1")])).as_deref(),
            Some("model.keras differs from byte 2 on (3 bytes, expected 3)")
        );
        assert_eq!(difference(&whole, &tree(&[("model.keras", "abc")])).as_deref(), Some("history.csv is missing"));
        assert!(leftover(&tree(&[("checkpoints/.a.keras.1.tmp", "")])).is_some());
        assert!(leftover(&tree(&[("backup/backup.keras", "")])).is_some());
        assert_eq!(leftover(&whole), None);
    }
}
