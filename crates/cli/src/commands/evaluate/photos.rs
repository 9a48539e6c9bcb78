//! `--photos`: people's own pictures as a data set, each with the kind of picture that it is.

use super::Measured;
use crate::commands::predict::pictures::{Reader, expand};
use crate::output::{Console, count, error};
use anyhow::{Context, bail};
use maobi_data::Dataset;
use maobi_nn::metrics::arg_max;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Labelled pictures as the network sees them.
pub struct Photos {
    /// The pictures that could be read.
    pub set: Dataset,
    /// What kind of picture each is.
    kinds: Vec<String>,
    /// Whether some could not be read; stderr says which.
    pub failed: bool,
}

/// A picture and what is on it.
struct Entry {
    file: PathBuf,
    label: String,
    kind: String,
}

/// Reads a folder with a folder for each class, or a CSV file with the columns `file` (relative to it) and `label`, and if it has them
/// `kind`, and `certain`, which leaves out what is not `sure`.
pub fn read(what: &Path, reader: &Reader, shape: [usize; 3], classes: &[String], console: Console) -> anyhow::Result<Photos> {
    let (entries, mut failed) = if what.is_dir() { of_folder(what)? } else { (of_table(what, console)?, false) };
    let (mut images, mut labels, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let label = classes.iter().position(|class| *class == entry.label).with_context(|| {
            let (file, label) = (entry.file.display(), &entry.label);
            format!("{}: {file} is labelled \"{label}\"; the model knows {}", what.display(), classes.join(", "))
        })?;
        match reader.read(&entry.file) {
            Ok(seen) => {
                images.extend(seen.pixels);
                labels.push(label as u32);
                kinds.push(entry.kind);
            }
            Err(reason) => {
                error(&reason);
                failed = true;
            }
        }
    }
    if labels.is_empty() {
        bail!("{}: none of its pictures could be read", what.display());
    }
    let set = Dataset::new(what.display().to_string(), images, labels, shape, classes.to_vec())?;
    Ok(Photos { set, kinds, failed })
}

fn of_folder(folder: &Path) -> anyhow::Result<(Vec<Entry>, bool)> {
    let (files, failed) = expand(&[folder.to_path_buf()]);
    let entries = files.into_iter().map(|file| {
        let inside = file.strip_prefix(folder).unwrap_or(&file);
        let mut parts = inside.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
        match (parts.next(), parts.next()) {
            (Some(label), Some(_)) => Ok(Entry { file: file.clone(), label, kind: "picture".into() }),
            _ => bail!("{}: lies in no folder named after its class", file.display()),
        }
    });
    Ok((entries.collect::<anyhow::Result<_>>()?, failed))
}

fn of_table(file: &Path, console: Console) -> anyhow::Result<Vec<Entry>> {
    let named = || format!("{}: cannot be read as a table of pictures", file.display());
    let mut table = csv::Reader::from_path(file).with_context(named)?;
    let header = table.headers().with_context(named)?.clone();
    let column = |name: &str| header.iter().position(|title| title.trim() == name);
    let (Some(path), Some(label)) = (column("file"), column("label")) else {
        let titles: Vec<&str> = header.iter().collect();
        bail!("{}: expected a first line with the columns file and label, got {}", file.display(), titles.join(","));
    };
    let (kind, certain) = (column("kind"), column("certain"));
    let folder = file.parent().unwrap_or(Path::new("."));
    let (mut entries, mut unsure) = (Vec::new(), 0);
    for record in table.records() {
        let record = record.with_context(named)?;
        let field = |index: usize| record.get(index).unwrap_or_default().trim();
        if certain.is_some_and(|index| field(index) != "sure") {
            unsure += 1;
            continue;
        }
        let kind = kind.map_or("picture", field).to_owned();
        entries.push(Entry { file: folder.join(field(path)), label: field(label).to_owned(), kind });
    }
    if unsure > 0 {
        console.say(&format!("{}: {unsure} left out, whose labels are not sure", file.display()));
    }
    Ok(entries)
}

/// Per kind: pictures, and how many were read right.
pub type Kinds = BTreeMap<String, (u64, u64)>;

impl Photos {
    /// How the kinds of picture were read.
    pub fn by_kind(&self, measured: &Measured) -> Kinds {
        let mut kinds = Kinds::new();
        let rows = measured.probabilities.chunks_exact(measured.classes.len().max(1));
        for ((kind, label), row) in self.kinds.iter().zip(self.set.labels()).zip(rows) {
            let (all, right) = kinds.entry(kind.clone()).or_default();
            *all += 1;
            *right += u64::from(arg_max(row) == label as usize);
        }
        kinds
    }
}

/// A line for each kind.
pub fn print(kinds: &Kinds, console: &Console) -> anyhow::Result<()> {
    let width = kinds.keys().map(|kind| kind.chars().count()).max().unwrap_or(0).max(4);
    console.result(&format!("\n{:<width$}  accuracy  images", "kind"))?;
    for (kind, &(all, right)) in kinds {
        console.result(&format!("{kind:<width$}  {:>8.4}  {:>6}", right as f64 / all as f64, count(all)))?;
    }
    Ok(())
}

/// The same for `--json` and `report.json`.
pub fn to_json(kinds: &Kinds) -> Value {
    let one = |(kind, (all, right)): (&String, &(u64, u64))| {
        (kind.clone(), json!({ "accuracy": *right as f64 / *all as f64, "images": all }))
    };
    Value::Object(kinds.iter().map(one).collect())
}
