//! What the page is taught: glyphs with their true digit, in a folder of the user's own. `DIR/7/….png` is what the network saw of a 7, so
//! that `maobi finetune MODEL DIR` learns from the folder, too; the picture it comes from lies in `DIR/.originals/7/`.

use super::aside;
use crate::body;
use crate::http::Service;
use crate::lock;
use crate::multipart::{boundary, fields};
use crate::problem::{Answer, Problem, object};
use axum::extract::{Path as At, Request, State};
use axum::http::header;
use maobi_data::Dataset;
use maobi_formats::atomic_write;
use maobi_recognize::{NONE, Recognizer};
use maobi_vision::{Limits, Preprocess, decode_file, prepare};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
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
    fn add(&self, label: &str, glyph: &[u8], original: &[u8]) -> Result<Sample, Problem> {
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

    fn remove(&self, sample: &Sample) -> Result<(), Problem> {
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

    fn json(&self) -> Value {
        let all = self.all();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        all.iter().for_each(|sample| *counts.entry(&sample.label).or_default() += 1);
        let latest: Vec<Value> = all.iter().rev().take(SHOWN).map(Sample::json).collect();
        let folder = self.folder().map(|folder| folder.display().to_string());
        json!({ "folder": folder, "total": all.len(), "counts": counts, "latest": latest })
    }
}

impl Sample {
    fn file(&self, folder: &Path) -> PathBuf {
        folder.join(&self.label).join(format!("{}.png", self.id))
    }

    fn json(&self) -> Value {
        json!({ "id": self.id, "label": self.label })
    }

    /// Of parts that came from outside.
    fn of(label: &str, id: Option<u64>) -> Result<Self, Problem> {
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

/// `GET /page/samples`.
pub async fn list(State(service): State<Arc<Service>>) -> Answer {
    Ok(object(&aside("listing the samples", move || Ok(service.page.samples.json())).await?))
}

/// `POST /page/samples`: a form with `label`, `glyph` (28 × 28 bytes) and `picture` (a PNG file, perhaps empty).
pub async fn add(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let boundary =
        boundary(&kind).ok_or_else(|| Problem::unsupported(format!("Content-Type '{kind}': expected multipart/form-data")))?;
    let held = body::read(&service, request).await?;
    let form = fields(&held, boundary).map_err(Problem::bad)?;
    let field = |name: &str| form.iter().find(|field| field.name == name).map(|field| field.bytes);
    let label = field("label").and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default();
    let Sample { label, .. } = Sample::of(label, Some(0))?;
    let glyph = field("glyph").filter(|glyph| glyph.len() == SIDE * SIDE);
    let glyph = glyph.ok_or_else(|| Problem::bad(format!("glyph: expected {SIDE} × {SIDE} bytes")))?.to_vec();
    let picture = field("picture").unwrap_or_default();
    if !picture.is_empty() && !picture.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Err(Problem::bad("picture: expected a PNG file"));
    }
    let picture = picture.to_vec();
    let work = move || {
        let samples = &service.page.samples;
        let sample = samples.add(&label, &glyph, &picture)?;
        let mut told = samples.json();
        told["added"] = sample.json();
        Ok(told)
    };
    Ok(object(&aside("keeping the sample", work).await?))
}

/// `POST /page/samples/remove`: `{"label": …, "id": …}`.
pub async fn remove(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let asked = super::object_of(&service, request).await?;
    let sample = Sample::of(asked["label"].as_str().unwrap_or_default(), asked["id"].as_u64())?;
    let work = move || {
        service.page.samples.remove(&sample)?;
        Ok(service.page.samples.json())
    };
    Ok(object(&aside("removing the sample", work).await?))
}

/// `GET /page/samples/{label}/{id}`: what the network saw.
pub async fn picture(State(service): State<Arc<Service>>, At((label, id)): At<(String, String)>) -> Answer {
    let sample = Sample::of(&label, id.parse().ok())?;
    let folder = service.page.samples.place()?.to_owned();
    let file = sample.file(&folder);
    super::png_file(folder, file).await
}
