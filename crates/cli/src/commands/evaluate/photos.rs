//! `--photos`: how people's own pictures are read, by the kind of picture.

use super::Args;
use super::report::{self, Wrong};
use super::score::{Score, Taken};
use crate::exit::Exit;
use crate::output::{Console, column, count, figures};
use crate::pictures::{self, Labelled, NONE, Reader, Seen};
use anyhow::bail;
use maobi_vision::preprocess::bicubic;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Side of a picture of several digits on the sheet of mistakes.
const SIDE: usize = 224;

/// Reads, compares and reports.
pub fn run(what: &Path, reader: &Reader, args: &Args, console: Console) -> anyhow::Result<Exit> {
    let (entries, mut failed) = pictures::labelled(what, reader.classes(), console)?;
    let strings = entries.iter().any(|entry| entry.truth.chars().count() > 1 && !reader.is_class(&entry.truth));
    let mut measured = Measured::new(reader);
    failed |= pictures::read_all(
        &entries,
        console,
        |entry| entry.file.display().to_string(),
        |entry| reader.read(&entry.file).map(|seen| One::of(entry, seen, reader.shape(), strings)),
        |index, one| {
            measured.add(&entries[index], one);
            Ok(())
        },
    )?;
    if measured.all.pictures == 0 {
        bail!("{}: none of its pictures could be read", what.display());
    }
    measured.wrong.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let confusion = measured.taken.matrix();
    let mut object = measured.json(strings);
    object.insert("dataset".into(), json!(what.display().to_string()));
    if let Some(confusion) = &confusion {
        object.insert("classes".into(), json!(confusion.0));
        object.insert("per_class".into(), report::per_class(confusion));
        object.insert("confusion_matrix".into(), json!(report::rows(&confusion.1)));
    }
    if let Some(folder) = &args.report {
        let mut whole = object.clone();
        whole.insert("model".into(), json!(reader.file.display().to_string()));
        report::write(folder, whole, confusion.as_ref(), &measured.wrong, console)?;
    }
    console.event(&Value::Object(object))?;
    let named = figures(measured.all.figures(strings));
    console.result(&format!("{named} ({} pictures of {})", count(measured.all.pictures), what.display()))?;
    if let Some(confusion) = confusion.filter(|_| !strings) {
        report::print_classes(&confusion, &console)?;
    }
    measured.print_kinds(strings, &console)?;
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

/// A picture that was read.
struct One {
    reading: maobi_recognize::Reading,
    /// What the sheet of mistakes shows.
    shown: Option<(Vec<u8>, [usize; 3])>,
}

impl One {
    fn of(entry: &Labelled, seen: Seen, size: [usize; 3], strings: bool) -> One {
        let Seen { picture, reading } = seen;
        let nothing = entry.truth == NONE;
        let right = if nothing { reading.rejected } else { reading.digits == entry.truth };
        let shown = (!right).then(|| match (picture, reading.items.as_slice()) {
            (Some(picture), items) if strings || nothing || items.len() != 1 => {
                let longest = picture.width.max(picture.height);
                let side = |n: usize| (n * SIDE / longest.max(SIDE)).max(1);
                let (width, height) = (side(picture.width), side(picture.height));
                (bicubic(&picture.grey, (picture.width, picture.height), (width, height)), [height, width, 1])
            }
            (_, items) => items.first().map(|item| (item.pixels.clone(), size)).unwrap_or_default(),
        });
        One { reading, shown }
    }
}

/// What became of the pictures.
struct Measured {
    all: Score,
    kinds: BTreeMap<String, Score>,
    taken: Taken,
    wrong: Vec<Wrong>,
}

impl Measured {
    fn new(reader: &Reader) -> Measured {
        Measured { all: Score::default(), kinds: BTreeMap::new(), taken: Taken::new(reader.classes()), wrong: Vec::new() }
    }

    fn add(&mut self, entry: &Labelled, one: One) {
        let (truth, reading) = (&entry.truth, &one.reading);
        self.all.add(truth, reading);
        self.kinds.entry(entry.kind.clone()).or_default().add(truth, reading);
        self.taken.add(truth, reading);
        if let Some((image, size)) = one.shown {
            let (read, confidence) = (reading.digits.clone(), reading.confidence);
            let object = json!({
                "file": entry.file.display().to_string(),
                "kind": entry.kind,
                "truth": truth,
                "digits": read,
                "confidence": confidence,
                "rejected": reading.rejected,
            });
            let flat = |text: &str| text.replace('\n', "|");
            self.wrong.push(Wrong { image, size, truth: flat(truth), read: flat(&read), confidence, object });
        }
    }

    fn json(&self, strings: bool) -> Map<String, Value> {
        let mut object = self.all.json(strings);
        let kinds = self.kinds.iter().map(|(kind, score)| (kind.clone(), Value::Object(score.json(strings))));
        object.insert("by_kind".into(), Value::Object(kinds.collect()));
        object
    }

    fn print_kinds(&self, strings: bool, console: &Console) -> anyhow::Result<()> {
        let width = column("kind", self.kinds.keys());
        let title = if strings { "exact   char errors" } else { "accuracy" };
        console.result("")?;
        console.result(&format!("{:<width$}  {title}  rejected  images", "kind"))?;
        for (kind, score) in &self.kinds {
            let right = match strings {
                true => format!("{:.4}  {:>11.4}", score.accuracy(), score.character_error_rate()),
                false => format!("{:>8.4}", score.accuracy()),
            };
            let (rejected, images) = (count(score.rejected), count(score.pictures));
            console.result(&format!("{kind:<width$}  {right}  {rejected:>8}  {images:>6}"))?;
        }
        Ok(())
    }
}
