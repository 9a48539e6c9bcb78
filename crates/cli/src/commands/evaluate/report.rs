//! `--report`: what `maobi evaluate` found, as files.

use crate::output::{Console, column};
use anyhow::Context;
use maobi_draw::{Mistake, confusion_png, mistakes_png};
use maobi_formats::atomic_write;
use maobi_nn::metrics::ConfusionMatrix;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Mistakes on the sheet.
const SHOWN: usize = 60;

/// A picture taken for something else.
pub struct Wrong {
    /// `[height, width, channels]`.
    pub image: Vec<u8>,
    /// Height, width, channels.
    pub size: [usize; 3],
    /// What is on it.
    pub truth: String,
    /// What was read.
    pub read: String,
    /// How sure the answer was.
    pub confidence: f32,
    /// How it stands in `report.json`.
    pub object: Value,
}

/// What was taken for what: the classes' names, and counts.
pub type Confusion = (Vec<String>, ConfusionMatrix);

/// Rows are true classes.
pub fn rows(counts: &ConfusionMatrix) -> Vec<Vec<u64>> {
    counts.counts().chunks_exact(counts.classes().max(1)).map(<[u64]>::to_vec).collect()
}

/// Writes mistakes.png, report.json and, where there are classes, confusion.png. `wrong` come the surest first.
pub fn write(
    folder: &Path,
    mut report: Map<String, Value>,
    confusion: Option<&Confusion>,
    wrong: &[Wrong],
    console: Console,
) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("{}: the report's folder cannot be made", folder.display()))?;
    let mut files = vec!["mistakes.png", "report.json"];
    if let Some((names, counts)) = confusion {
        atomic_write(folder.join("confusion.png"), &confusion_png(&rows(counts), names))?;
        files.insert(0, "confusion.png");
    }
    let sheet: Vec<Mistake<'_>> = wrong.iter().take(SHOWN).map(Wrong::drawn).collect();
    atomic_write(folder.join("mistakes.png"), &mistakes_png(&sheet))?;
    report.insert("mistakes".into(), wrong.iter().map(|w| w.object.clone()).collect());
    atomic_write(folder.join("report.json"), serde_json::to_string_pretty(&report)?.as_bytes())?;
    let (last, others) = files.split_last().map_or(("", &[][..]), |(last, others)| (*last, others));
    console.say(&format!("wrote {} and {last} to {}", others.join(", "), folder.display()));
    Ok(())
}

impl Wrong {
    fn drawn(&self) -> Mistake<'_> {
        let [height, width, channels] = self.size;
        let (truth, predicted) = (&self.truth, &self.read);
        Mistake { image: &self.image, height, width, channels, truth, predicted, probability: self.confidence }
    }
}

/// Precision, recall and F1 of each class, as objects.
pub fn per_class((names, counts): &Confusion) -> Value {
    let one = |(label, (report, name)): (usize, (maobi_nn::metrics::ClassReport, &String))| {
        json!({
            "label": label,
            "class": name,
            "precision": report.precision,
            "recall": report.recall,
            "f1": report.f1,
            "support": report.support,
        })
    };
    counts.per_class().into_iter().zip(names).enumerate().map(one).collect()
}

/// The same as lines.
pub fn print_classes((names, counts): &Confusion, console: &Console) -> anyhow::Result<()> {
    let width = column("class", names);
    console.result("")?;
    console.result(&format!("{:<width$}  precision  recall      f1  images", "class"))?;
    for (report, name) in counts.per_class().into_iter().zip(names) {
        let (precision, recall, f1) = (report.precision, report.recall, report.f1);
        let images = crate::output::count(report.support);
        console.result(&format!("{name:<width$}  {precision:>9.4}  {recall:.4}  {f1:.4}  {images:>6}"))?;
    }
    Ok(())
}
