//! `--non-digits`: how much of what is no digit is rejected.

use super::Args;
use super::report::{self, Wrong};
use super::score::share;
use crate::dataset::{self, Choice};
use crate::exit::{Exit, usage};
use crate::output::{Console, column, count, rounded};
use crate::pictures::{self, NONE, Reader};
use anyhow::{anyhow, bail};
use maobi_data::source::Wanted;
use maobi_data::{Dataset, Progress};
use maobi_recognize::Reading;
use maobi_vision::Picture;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Reads, counts and reports.
pub fn run(what: &str, reader: &Reader, args: &Args, console: Console) -> anyhow::Result<Exit> {
    if reader.recognizer().is_none() {
        bail!("{}: takes pictures in color, and rejects none", reader.file.display());
    }
    let mut measured = Measured::default();
    let failed = match dataset::wanted(what) {
        Wanted::Path(path) if path.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case("npz")) => {
            if let Some(dir) = &args.data_dir {
                return Err(usage(format!("--data-dir {} is for data sets known by name; {what} is a folder", dir.display())));
            }
            of_pictures(&path, reader, console, &mut measured)?
        }
        _ => {
            let shape = reader.shape();
            let choice = Choice {
                asked: Some(what),
                otherwise: what,
                data_dir: args.data_dir.as_deref(),
                shape,
                fall_back: false,
                offline: false,
            };
            of_dataset(&dataset::choose(choice, console)?.splits.test, reader, console, &mut measured)?;
            false
        }
    };
    if measured.pictures == 0 {
        bail!("{what}: none of its pictures could be read");
    }
    measured.kept.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let object = measured.json(what);
    if let Some(folder) = &args.report {
        let mut whole = object.clone();
        whole.insert("model".into(), json!(reader.file.display().to_string()));
        report::write(folder, whole, None, &measured.kept, console)?;
    }
    console.event(&Value::Object(object))?;
    measured.print(what, &console)?;
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

/// The pictures of a folder, by the folder they lie in; whether some could not be read.
fn of_pictures(what: &Path, reader: &Reader, console: Console, measured: &mut Measured) -> anyhow::Result<bool> {
    let (files, mut failed) = pictures::expand(&[PathBuf::from(what)]);
    failed |= pictures::read_all(
        &files,
        console,
        |file| file.display().to_string(),
        |file| reader.read(file),
        |index, seen| {
            let file = &files[index];
            let folder = file.strip_prefix(what).ok().and_then(Path::parent).filter(|inside| !inside.as_os_str().is_empty());
            let folder = folder.unwrap_or(what).display().to_string();
            measured.add(folder, file.display().to_string(), &seen.reading, reader);
            Ok(())
        },
    )?;
    Ok(failed)
}

/// The images of a data set, by class.
fn of_dataset(set: &Dataset, reader: &Reader, console: Console, measured: &mut Measured) -> anyhow::Result<()> {
    let [height, width, channels] = set.shape();
    if channels != 1 {
        bail!("{}: its images have {channels} channels; expected grey ones", set.name());
    }
    let indices: Vec<usize> = (0..set.len()).collect();
    let bars = pictures::bar(set.len(), console);
    let one = |&index: &usize| {
        let picture = Picture::from_grey(width, height, set.image(index).to_vec());
        picture.map_or_else(|| bail!("{}: image {index} has no pixels", set.name()), |picture| reader.read_picture(&picture))
    };
    let read = pictures::in_order(&indices, one, |index, reading| {
        bars.advance(1);
        let class = set.class_names()[set.label(index) as usize].clone();
        let name = format!("{} {index}", set.name());
        let reading = reading.map_err(|panicked| anyhow!("{name}: reading it failed inside maobi ({})", panicked.message()))?;
        measured.add(class, name, &reading?, reader);
        anyhow::Ok(())
    });
    bars.finish();
    read
}

/// What became of the pictures.
#[derive(Default)]
struct Measured {
    pictures: u64,
    rejected: u64,
    /// By folder or class: pictures, and how many were rejected.
    by: BTreeMap<String, (u64, u64)>,
    /// What was taken for digits.
    kept: Vec<Wrong>,
}

impl Measured {
    fn add(&mut self, group: String, name: String, reading: &Reading, reader: &Reader) {
        let (all, rejected) = self.by.entry(group).or_default();
        *all += 1;
        *rejected += u64::from(reading.rejected);
        self.pictures += 1;
        self.rejected += u64::from(reading.rejected);
        if !reading.rejected {
            let (read, confidence) = (reading.digits.clone(), reading.confidence);
            let object = json!({ "file": name, "digits": read, "confidence": confidence });
            let image = reading.items.iter().find(|item| !item.rejected).map(|item| item.pixels.clone()).unwrap_or_default();
            let read = read.replace('\n', "|");
            self.kept.push(Wrong { image, size: reader.shape(), truth: NONE.into(), read, confidence, object });
        }
    }

    fn json(&self, what: &str) -> Map<String, Value> {
        let one = |(all, rejected): (u64, u64)| json!({ "rejected": share(rejected, all), "images": all });
        let mut object = Map::new();
        object.insert("rejected".into(), json!(share(self.rejected, self.pictures)));
        object.insert("images".into(), json!(self.pictures));
        object.insert("non_digits".into(), json!(what));
        object.insert(
            "by_folder".into(),
            Value::Object(self.by.iter().map(|(name, &counts)| (name.clone(), one(counts))).collect()),
        );
        object
    }

    fn print(&self, what: &str, console: &Console) -> anyhow::Result<()> {
        let (all, rejected) = (count(self.pictures), count(self.rejected));
        let shown = rounded(share(self.rejected, self.pictures));
        console.result(&format!("rejected {shown} ({rejected} of {all} pictures of {what}, none of them a digit)"))?;
        let width = column("folder", self.by.keys());
        console.result("")?;
        console.result(&format!("{:<width$}  rejected  images", "folder"))?;
        for (name, &(all, rejected)) in &self.by {
            console.result(&format!("{name:<width$}  {:>8.4}  {:>6}", share(rejected, all), count(all)))?;
        }
        Ok(())
    }
}
