//! What the page is taught: glyphs with their true digit, in a folder of the user's own. `DIR/7/….png` is what the network saw of a 7, so
//! that `maobi finetune MODEL DIR` learns from the folder, too; the picture it comes from lies in `DIR/.originals/7/`.

use crate::lock::lock;
use crate::problem::Problem;
use maobi_data::Dataset;
use maobi_formats::atomic_write;
use maobi_recognize::{NONE, Recognizer};
use maobi_vision::{Limits, Preprocess, decode_file, prepare};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

/// Samples that are kept in all, and of which the newest are shown.
const MOST: usize = 100_000;
const SHOWN: usize = 60;
/// Where pictures lie from which samples come; folders that begin with a point are not read by other commands.
const ORIGINALS: &str = ".originals";
/// The side of the frame that samples are kept in, MNIST's.
pub(super) const SIDE: usize = 28;

/// The folder.
#[derive(Debug, Default)]
pub struct Samples {
    folder: Option<PathBuf>,
    /// One writes at a time.
    writing: Mutex<()>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    /// Name of its file without the ending: when it was taught, in milliseconds.
    pub id: u64,
    /// The class it was taught as.
    pub label: String,
}

impl Samples {
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, ..Self::default() }
    }

    /// Where they lie.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// The folder, or why there is none.
    pub fn place(&self) -> Result<&Path, Problem> {
        self.folder().ok_or_else(|| Problem::not_found("this server keeps no samples; start it with --samples DIR"))
    }

    /// All of them, the oldest first.
    pub fn all(&self) -> Vec<Sample> {
        let Some(folder) = self.folder() else { return Vec::new() };
        let mut all = Vec::new();
        for label in labels() {
            for entry in std::fs::read_dir(folder.join(&label)).into_iter().flatten().flatten() {
                let id = entry.file_name().to_str().and_then(|name| name.strip_suffix(".png")).and_then(|id| id.parse().ok());
                all.extend(id.map(|id| Sample { id, label: label.clone() }));
            }
        }
        all.sort();
        all
    }

    /// Keeps one.
    pub(super) fn add(&self, label: &str, glyph: &[u8], original: &[u8]) -> Result<Sample, Problem> {
        let folder = self.place()?;
        let _one = lock(&self.writing);
        let all = self.all();
        if all.len() >= MOST {
            return Err(Problem::bad(format!("{MOST} samples are kept already; remove some from {}", folder.display())));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        // Two within a millisecond, or a clock that was set back.
        let id = u64::try_from(now).unwrap_or(0).max(all.last().map_or(0, |last| last.id + 1));
        let sample = Sample { id, label: label.to_owned() };
        for (place, bytes) in [(ORIGINALS, original), ("", &grey_png(glyph)?)] {
            if bytes.is_empty() {
                continue;
            }
            let file = sample.file(&folder.join(place));
            let failed = |e: &dyn std::fmt::Display| Problem::internal(format!("{}: cannot be written: {e}", file.display()));
            if let Some(parent) = file.parent() {
                std::fs::create_dir_all(parent).map_err(|e| failed(&e))?;
            }
            atomic_write(&file, bytes).map_err(|e| failed(&e))?;
        }
        Ok(sample)
    }

    pub(super) fn remove(&self, sample: &Sample) -> Result<(), Problem> {
        let folder = self.place()?;
        let _one = lock(&self.writing);
        let file = sample.file(folder);
        std::fs::remove_file(&file).map_err(|e| Problem::not_found(format!("{}: cannot be removed: {e}", file.display())))?;
        // Not each has one.
        let _ = std::fs::remove_file(sample.file(&folder.join(ORIGINALS)));
        Ok(())
    }

    /// All of them as a data set, labelled by the outputs of a network; those it has no class for are left out. `None` without any.
    pub fn dataset(&self, recognizer: &Recognizer, names: &[String]) -> Result<Option<Dataset>, Problem> {
        let folder = self.place()?;
        let (mut images, mut labels) = (Vec::new(), Vec::new());
        for sample in self.all() {
            let Some(label) = names.iter().position(|name| *name == sample.label) else { continue };
            // One that somebody damaged is nobody's loss.
            let Ok(picture) = decode_file(sample.file(folder), &Limits::default()) else { continue };
            let (height, width) = recognizer.frame();
            if (picture.height, picture.width) == (height, width) {
                images.extend(picture.grey);
            } else {
                images.extend(prepare(&picture, Preprocess::Auto, (height, width)).pixels);
            }
            labels.push(u32::try_from(label).unwrap_or(0));
        }
        if labels.is_empty() {
            return Ok(None);
        }
        let (height, width) = recognizer.frame();
        let set = Dataset::new("samples", images, labels, [height, width, 1], names.to_vec());
        set.map(Some).map_err(|e| Problem::internal(e.to_string()))
    }

    pub(super) fn json(&self) -> Value {
        let all = self.all();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        all.iter().for_each(|sample| *counts.entry(&sample.label).or_default() += 1);
        let latest: Vec<Value> = all.iter().rev().take(SHOWN).map(Sample::json).collect();
        let folder = self.folder().map(|folder| folder.display().to_string());
        json!({ "folder": folder, "total": all.len(), "counts": counts, "latest": latest })
    }
}

impl Sample {
    pub(super) fn file(&self, folder: &Path) -> PathBuf {
        folder.join(&self.label).join(format!("{}.png", self.id))
    }

    pub(super) fn json(&self) -> Value {
        json!({ "id": self.id, "label": self.label })
    }

    /// Of parts that came from outside.
    pub(super) fn of(label: &str, id: Option<u64>) -> Result<Self, Problem> {
        let known = labels().find(|known| known == label);
        match (known, id) {
            (Some(label), Some(id)) => Ok(Self { id, label }),
            (None, _) => Err(Problem::bad(format!("label: expected 0 to 9 or {NONE}, got '{label}'"))),
            (_, None) => Err(Problem::bad("id: expected a number")),
        }
    }
}

/// What can be taught.
fn labels() -> impl Iterator<Item = String> {
    (0..10).map(|digit: u8| digit.to_string()).chain([NONE.to_owned()])
}

/// Whether a model can be taught here: it reads the ten digits in MNIST's frame.
pub(super) fn can_learn(recognizer: &Recognizer) -> bool {
    let ten = recognizer.classes().iter().map(String::as_str).eq(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    ten && recognizer.frame() == (SIDE, SIDE)
}

/// `[28, 28]` as a PNG file.
fn grey_png(pixels: &[u8]) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIDE as u32, SIDE as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels));
    written.map_err(|e| Problem::internal(format!("a sample cannot be written as PNG: {e}")))?;
    Ok(bytes)
}
