//! `--report`: what `maobi evaluate` found, as files.

use super::Measured;
use crate::run::OpenModel;
use anyhow::Context;
use maobi_formats::atomic_write;
use maobi_nn::metrics::arg_max;
use maobi_vision::draw::{Mistake, confusion_png, mistakes_png};
use serde_json::{Value, json};
use std::path::Path;

/// Mistakes on the sheet.
const SHOWN: usize = 60;

/// An image taken for another class.
#[derive(Clone, Copy, Debug)]
struct Wrong {
    index: usize,
    truth: usize,
    predicted: usize,
    probability: f32,
}

/// Writes confusion.png, mistakes.png and report.json.
pub fn write(folder: &Path, measured: &Measured, open: &OpenModel) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("{}: the report's folder cannot be made", folder.display()))?;
    atomic_write(folder.join("confusion.png"), &confusion_png(&measured.matrix(), &measured.classes))?;
    let wrong = mistakes(measured);
    let [height, width, channels] = measured.set.shape();
    let sheet: Vec<Mistake<'_>> = wrong
        .iter()
        .take(SHOWN)
        .map(|w| Mistake {
            image: measured.set.image(w.index),
            height,
            width,
            channels,
            truth: &measured.classes[w.truth],
            predicted: &measured.classes[w.predicted],
            probability: w.probability,
        })
        .collect();
    atomic_write(folder.join("mistakes.png"), &mistakes_png(&sheet))?;
    let mut report = measured.to_json();
    if let Value::Object(map) = &mut report {
        map.insert("model".into(), json!(open.file.display().to_string()));
        let list = wrong.iter().map(|w| {
            json!({
                "index": w.index,
                "class": measured.classes[w.truth],
                "predicted": measured.classes[w.predicted],
                "probability": w.probability,
            })
        });
        map.insert("mistakes".into(), list.collect());
    }
    atomic_write(folder.join("report.json"), serde_json::to_string_pretty(&report)?.as_bytes())?;
    Ok(())
}

/// All mistakes, the surest first.
fn mistakes(measured: &Measured) -> Vec<Wrong> {
    let rows = measured.probabilities.chunks_exact(measured.classes.len().max(1));
    let mut wrong: Vec<Wrong> = rows
        .zip(measured.set.labels())
        .enumerate()
        .map(|(index, (row, truth))| {
            let predicted = arg_max(row);
            Wrong { index, truth: truth as usize, predicted, probability: row[predicted] }
        })
        .filter(|w| w.truth != w.predicted)
        .collect();
    wrong.sort_by(|a, b| b.probability.total_cmp(&a.probability).then(a.index.cmp(&b.index)));
    wrong
}
