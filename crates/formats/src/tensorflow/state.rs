//! The file `checkpoint` beside checkpoints: which is the latest, and which there are.
//!
//! A CheckpointState in text form (tensorflow/python/training/checkpoint_state.proto), paths relative to its folder.

use super::bundle::index_path;
use crate::error::{Error, Result};
use crate::files;
use std::path::{Path, PathBuf};

/// Its name.
const FILE: &str = "checkpoint";
/// Longest one that is read; a million names.
const MAX_BYTES: usize = 64 << 20;

/// What the file says: the latest, and all, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct State {
    latest: Option<String>,
    all: Vec<String>,
}

impl State {
    fn read(folder: &Path) -> Result<Option<State>> {
        let path = folder.join(FILE);
        if !path.is_file() {
            return Ok(None);
        }
        let bytes = files::read(&path)?;
        let text = std::str::from_utf8(&bytes).ok().filter(|text| text.len() <= MAX_BYTES);
        text.map(State::parse).map(Some).ok_or_else(|| Error::damaged(&path, "is no text that names checkpoints"))
    }

    /// Whatever lines are understood; TensorFlow adds others, such as times.
    fn parse(text: &str) -> State {
        let mut state = State::default();
        for line in text.lines() {
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = unquote(value.trim());
            match (key.trim(), value) {
                ("model_checkpoint_path", Some(value)) => state.latest = Some(value),
                ("all_model_checkpoint_paths", Some(value)) => state.all.push(value),
                _ => {}
            }
        }
        state
    }

    fn write(&self, folder: &Path) -> Result<()> {
        let mut text = String::new();
        if let Some(latest) = &self.latest {
            text.push_str(&format!("model_checkpoint_path: {}\n", quote(latest)));
        }
        for path in &self.all {
            text.push_str(&format!("all_model_checkpoint_paths: {}\n", quote(path)));
        }
        crate::atomic_write(folder.join(FILE), text.as_bytes())
    }
}

/// Text in double quotes, with escapes as protocol buffers have them.
fn quote(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' | '\'' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_ascii_control() => quoted.push_str(&format!("\\{:03o}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn unquote(text: &str) -> Option<String> {
    let mark = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inside = text.strip_prefix(mark)?.strip_suffix(mark)?;
    let (mut bytes, mut rest) = (Vec::new(), inside.bytes().peekable());
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next()? {
            b'n' => bytes.push(b'\n'),
            b't' => bytes.push(b'\t'),
            b'r' => bytes.push(b'\r'),
            digit @ b'0'..=b'7' => {
                // Up to three octal digits: how protocol buffers write what is not ASCII.
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    match rest.peek() {
                        Some(next @ b'0'..=b'7') => value = value * 8 + u32::from(next - b'0'),
                        _ => break,
                    }
                    rest.next();
                }
                bytes.push(u8::try_from(value).ok()?);
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).ok()
}

/// Folder and name of a prefix.
fn parts(prefix: &Path) -> (&Path, String) {
    let folder = prefix.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    (folder, prefix.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
}

/// Notes a checkpoint that was just written as the latest of its folder.
pub(crate) fn add(prefix: &Path) -> Result<()> {
    let (folder, name) = parts(prefix);
    // A damaged list is no reason to fail: it is written anew.
    let mut state = State::read(folder).ok().flatten().unwrap_or_default();
    state.all.retain(|path| *path != name);
    state.all.push(name.clone());
    state.latest = Some(name);
    state.write(folder)
}

/// Removes a checkpoint: from the list of its folder, then its files. What is not there is no error.
///
/// # Errors
/// [`Error::Io`] when a file cannot be removed.
pub fn remove(prefix: &Path) -> Result<()> {
    let (folder, name) = parts(prefix);
    if let Some(mut state) = State::read(folder)? {
        state.all.retain(|path| *path != name);
        if state.latest.as_ref() == Some(&name) {
            state.latest = state.all.last().cloned();
        }
        state.write(folder)?;
    }
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let ours = file.strip_prefix(&name).is_some_and(|end| matches!(end, ".index" | ".meta") || is_shard(end));
        if ours {
            std::fs::remove_file(entry.path()).map_err(Error::io(&entry.path(), "remove"))?;
        }
    }
    Ok(())
}

/// Whether a name's ending is that of a file of values: `.data-00000-of-00001`.
fn is_shard(ending: &str) -> bool {
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
    ending.strip_prefix(".data-").and_then(|rest| rest.split_once("-of-")).is_some_and(|(n, of)| digits(n) && digits(of))
}

/// The latest checkpoint of a folder, as the prefix of its files, if its file `checkpoint` names one that is there.
///
/// Folders may have been moved: where an absolute path does not lead anywhere, its name in this folder is taken.
///
/// # Errors
/// [`Error::Io`] and [`Error::Damaged`] for a file `checkpoint` that cannot be read.
pub fn latest(folder: &Path) -> Result<Option<PathBuf>> {
    let Some(name) = State::read(folder)?.and_then(|state| state.latest) else { return Ok(None) };
    let path = folder.join(&name);
    let beside = Path::new(&name).file_name().map(|name| folder.join(name));
    Ok([Some(path), beside].into_iter().flatten().find(|prefix| has_index(prefix)))
}

/// Whether there is an index; what is no file, such as a FIFO, is refused where it is read.
fn has_index(prefix: &Path) -> bool {
    let path = index_path(prefix);
    path.exists() && !path.is_dir()
}

/// The prefix that a path means: one itself, one of its files, the folder of checkpoints or its file `checkpoint`.
///
/// # Errors
/// As [`latest`].
pub fn prefix(path: &Path) -> Result<Option<PathBuf>> {
    if path.is_dir() {
        return latest(path);
    }
    let (folder, name) = parts(path);
    if has_index(path) {
        return Ok(Some(path.to_path_buf()));
    }
    if name == FILE && path.is_file() {
        return latest(folder);
    }
    let stem = name.strip_suffix(".index").or_else(|| name.strip_suffix(".meta")).or_else(|| {
        let at = name.rfind(".data-")?;
        name.split_at_checked(at).filter(|(_, end)| is_shard(end)).map(|(stem, _)| stem)
    });
    Ok(stem.map(|stem| path.with_file_name(stem)).filter(|prefix| has_index(prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_is_the_one_written_last() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert_eq!(latest(folder.path()).unwrap(), None);
        for name in ["a.ckpt-1", "b \"c\".ckpt-2", "a.ckpt-1", "毛笔.ckpt-3"] {
            std::fs::write(index_path(&at(name)), "").unwrap();
            std::fs::write(at(&format!("{name}.data-00000-of-00001")), "").unwrap();
            add(&at(name)).unwrap();
            assert_eq!(latest(folder.path()).unwrap(), Some(at(name)));
        }
        let text = std::fs::read_to_string(at("checkpoint")).unwrap();
        let expected = "model_checkpoint_path: \"毛笔.ckpt-3\"\nall_model_checkpoint_paths: \"b \\\"c\\\".ckpt-2\"\n\
                        all_model_checkpoint_paths: \"a.ckpt-1\"\nall_model_checkpoint_paths: \"毛笔.ckpt-3\"\n";
        assert_eq!(text, expected);
        remove(&at("毛笔.ckpt-3")).unwrap();
        assert_eq!(latest(folder.path()).unwrap(), Some(at("a.ckpt-1")));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 5);
        // What the list names but is not there is no latest.
        std::fs::remove_file(at("a.ckpt-1.index")).unwrap();
        assert_eq!(latest(folder.path()).unwrap(), None);
    }

    // As TensorFlow wrote it, not ASCII in octal, and with times.
    #[test]
    fn other_people_s_lists() {
        let text = "model_checkpoint_path: \"/gone/\\346\\257\\233-2\"\nall_model_checkpoint_paths: \"x-1\"\n\
                    all_model_checkpoint_paths: '/gone/\\346\\257\\233-2'\nall_model_checkpoint_timestamps: 1.5\nnonsense\n: \"\"\n";
        let state = State::parse(text);
        assert_eq!(state, State { latest: Some("/gone/毛-2".into()), all: vec!["x-1".into(), "/gone/毛-2".into()] });
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("checkpoint"), text).unwrap();
        assert_eq!(latest(folder.path()).unwrap(), None);
        std::fs::write(folder.path().join("毛-2.index"), "").unwrap();
        assert_eq!(latest(folder.path()).unwrap(), Some(folder.path().join("毛-2")));
    }

    #[test]
    fn a_prefix_goes_by_many_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["m.ckpt-5.index", "m.ckpt-5.data-00000-of-00001", "m.ckpt-5.meta"] {
            std::fs::write(at(name), "").unwrap();
            assert_eq!(prefix(&at(name)).unwrap(), Some(at("m.ckpt-5")), "{name}");
        }
        assert_eq!(prefix(&at("m.ckpt-5")).unwrap(), Some(at("m.ckpt-5")));
        assert_eq!(prefix(&at("m.ckpt")).unwrap(), None);
        assert_eq!(prefix(folder.path()).unwrap(), None);
        add(&at("m.ckpt-5")).unwrap();
        assert_eq!(prefix(folder.path()).unwrap(), Some(at("m.ckpt-5")));
        assert_eq!(prefix(&at("checkpoint")).unwrap(), Some(at("m.ckpt-5")));
    }

    proptest::proptest! {
        #[test]
        fn any_name_comes_back(name in ".{0,20}") {
            proptest::prop_assert_eq!(unquote(&quote(&name)), Some(name));
        }

        #[test]
        fn any_text_is_read(text in "[a-z_:\"\\\\ 0-9\n]{0,60}") {
            let _ = State::parse(&text);
        }
    }
}
