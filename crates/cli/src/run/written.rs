//! Which files a run writes into its folder, so that nothing else in it is ever removed.

use glob::Pattern;
use maobi_train::Recipe;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// What every run writes.
const ALWAYS: [&str; 7] = ["config.toml", "model.keras", "history.csv", "curves.png", "training.json", "last.keras", "backup/*"];

/// Patterns of paths in a run folder, a pattern for each component.
#[derive(Clone, Debug, Default)]
pub struct Written {
    paths: Vec<Vec<Pattern>>,
}

impl Written {
    /// The files of a run of this recipe: its own, and those of the recipe's callbacks that lie in the run folder.
    pub fn of(recipe: &Recipe) -> Written {
        let mut written = Written::default();
        ALWAYS.iter().for_each(|path| written.add(path));
        for (class, arguments) in &recipe.callbacks {
            written.add_callback(class, arguments);
        }
        written
    }

    /// What either writes.
    #[must_use]
    pub fn and(mut self, other: Written) -> Written {
        self.paths.extend(other.paths);
        self
    }

    fn add_callback(&mut self, class: &str, arguments: &Map<String, Value>) {
        let text = |key: &str| arguments.get(key).and_then(Value::as_str);
        match class {
            "ModelCheckpoint" => {
                let Some(path) = text("filepath").map(wildcards) else { return };
                let (folder, name) = path.rsplit_once('/').map_or((String::new(), &*path), |(f, n)| (format!("{f}/"), n));
                if name.ends_with(".ckpt") || name.contains(".ckpt-") {
                    // The prefix of several files, which TensorFlow lists in `checkpoint`.
                    self.add(&format!("{folder}checkpoint"));
                    self.add(&format!("{}*", path.trim_end_matches('*')));
                } else {
                    self.add(&path);
                }
            }
            "CSVLogger" => text("filename").into_iter().for_each(|name| self.add(&Pattern::escape(name))),
            "BackupAndRestore" => {
                self.add(&format!("{}/backup.keras", Pattern::escape(text("backup_dir").unwrap_or("backup"))));
            }
            "TensorBoard" => {
                let folder = Pattern::escape(text("log_dir").unwrap_or("logs"));
                for part in ["train", "validation"] {
                    self.add(&format!("{folder}/{part}/events.out.tfevents.*"));
                }
            }
            _ => {}
        }
    }

    /// Adds a pattern; paths that lead out of the run folder are left out.
    fn add(&mut self, path: &str) {
        let mut parts = Vec::new();
        for component in Path::new(path).components() {
            match component {
                Component::CurDir => {}
                Component::Normal(name) => match name.to_str().map(Pattern::new) {
                    Some(Ok(pattern)) => parts.push(pattern),
                    _ => return,
                },
                _ => return,
            }
        }
        if !parts.is_empty() {
            self.paths.push(parts);
        }
    }

    /// Those files that are there, relative to the folder.
    pub fn files(&self, folder: &Path) -> Vec<PathBuf> {
        self.find(folder, |pattern, name| pattern.matches(name))
    }

    /// Temporary files that a killed process left behind when it wrote one of the files, relative to the folder.
    pub fn leftovers(&self, folder: &Path) -> Vec<PathBuf> {
        self.find(folder, |pattern, name| maobi_files::temporary_of(name).is_some_and(|target| pattern.matches(target)))
    }

    fn find(&self, folder: &Path, is_wanted: impl Fn(&Pattern, &str) -> bool) -> Vec<PathBuf> {
        let mut found = BTreeSet::new();
        for parts in &self.paths {
            walk(folder, Path::new(""), parts, &is_wanted, &mut found);
        }
        found.into_iter().collect()
    }
}

fn walk(
    folder: &Path,
    inside: &Path,
    parts: &[Pattern],
    is_wanted: &impl Fn(&Pattern, &str) -> bool,
    found: &mut BTreeSet<PathBuf>,
) {
    let Some((part, deeper)) = parts.split_first() else { return };
    for entry in fs::read_dir(folder.join(inside)).into_iter().flatten().flatten() {
        let (name, kind) = (entry.file_name(), entry.file_type());
        let (Some(name), Ok(kind)) = (name.to_str(), kind) else { continue };
        if deeper.is_empty() {
            if !kind.is_dir() && is_wanted(part, name) {
                found.insert(inside.join(name));
            }
        } else if kind.is_dir() && part.matches(name) {
            walk(folder, &inside.join(name), deeper, is_wanted, found);
        }
    }
}

/// The pattern of a file name with figures in braces.
fn wildcards(template: &str) -> String {
    let (mut pattern, mut rest) = (String::new(), template);
    while let Some(at) = rest.find(['{', '}']) {
        pattern.push_str(&Pattern::escape(&rest[..at]));
        rest = &rest[at..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            pattern.push_str(&rest[..1]);
            rest = &rest[2..];
        } else {
            // One star is enough for figures side by side.
            if !pattern.ends_with('*') {
                pattern.push('*');
            }
            rest = rest.find('}').map_or("", |end| &rest[end + 1..]);
        }
    }
    pattern + &Pattern::escape(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(callbacks: Vec<(&str, Value)>) -> Written {
        let mut recipe = Recipe::builtin("tiny-cnn").unwrap();
        let table = |value: Value| value.as_object().cloned().unwrap();
        recipe.callbacks = callbacks.into_iter().map(|(class, value)| (class.to_owned(), table(value))).collect();
        Written::of(&recipe)
    }

    #[test]
    fn files_of_the_run_are_found_and_no_others() {
        let written = of(vec![
            ("ModelCheckpoint", json!({ "filepath": "checkpoints/best-{epoch:02d}-{val_loss:.2f}.keras" })),
            ("ModelCheckpoint", json!({ "filepath": "Model/model.ckpt-{step}" })),
            ("ModelCheckpoint", json!({ "filepath": "../out.keras" })),
            ("CSVLogger", json!({ "filename": "log[1].csv" })),
            ("TensorBoard", json!({})),
        ]);
        let folder = tempfile::tempdir().unwrap();
        let ours = [
            "Model/checkpoint",
            "Model/model.ckpt-10.data-00000-of-00001",
            "Model/model.ckpt-10.index",
            "backup/backup.keras",
            "checkpoints/best-01-0.25.keras",
            "config.toml",
            "log[1].csv",
            "logs/train/events.out.tfevents.1.v2",
            "model.keras",
        ];
        let others = ["notes.txt", "Model/other.index", "checkpoints/mine.keras", "report/report.json", "log1.csv", "logs/x"];
        for name in ours.iter().chain(&others) {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        assert_eq!(written.files(folder.path()), ours.map(PathBuf::from));
        let temporary =
            [".model.keras.12-3.tmp", "Model/.model.ckpt-20.index.0123456789abcdef.tmp", "backup/.backup.keras.1-0.tmp"];
        for name in temporary.iter().chain(&[".mine.keras.1-0.tmp", "report/.report.json.1-0.tmp"]) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(written.files(folder.path()).len(), ours.len() + 1, "backup/ is the run's own");
        let mut expected = temporary.map(PathBuf::from);
        expected.sort();
        assert_eq!(written.leftovers(folder.path()), expected);
    }

    #[test]
    fn braces_become_stars() {
        assert_eq!(wildcards("a-{epoch}{step}.keras"), "a-*.keras");
        assert_eq!(wildcards("{{a}}[1]{epoch"), "{a}[[]1[]]*");
    }
}
