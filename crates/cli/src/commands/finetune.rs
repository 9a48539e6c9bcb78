//! `maobi finetune`.

mod own;
mod replay;

use crate::commands::export::beside;
use crate::exit::Exit;
use crate::output::{Console, count, duration, percent};
use crate::pictures::{How, Reader};
use crate::run::{self, OpenModel};
use crate::training::interrupt;
use anyhow::{Context, bail};
use maobi_data::{Dataset, Progress};
use maobi_formats::format::named;
use maobi_nn::losses::SparseCategoricalCrossentropy;
use maobi_train::callbacks::Action;
use maobi_train::{FineTune, ModelExt, finetune, has_forgotten};
use own::Own;
use replay::Replay;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `maobi finetune`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, allow_missing_positional = true)]
pub struct Args {
    #[command(flatten)]
    model: run::ModelArgument,

    #[command(flatten)]
    network: run::Network,

    /// Your pictures: a folder with a folder for each class (0, 1, … and perhaps none), or a CSV file with the columns file and label,
    /// or truth for several digits (lines joined by |).
    #[arg(value_name = "DIR|FILE.csv")]
    pictures: PathBuf,

    /// The file for the new model, which must not be there yet [default: MODEL-finetuned.keras in the current folder]
    #[arg(long, value_name = "FILE.keras")]
    out: Option<PathBuf>,

    /// What the model must not forget: mnist, fashion-mnist, builtin, a folder of pictures by class, or an .npz file; what it was
    /// trained on when left out, and for digits the built-in ones where that is not on this machine.
    #[arg(long, value_name = "NAME|DIR|FILE.npz")]
    replay: Option<String>,

    /// Where to look for mnist/ and fashion-mnist/, and nowhere else.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Share of your pictures, of each class, that is held out to measure with; with 0 all are learnt from.
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = share)]
    hold_out: f64,

    /// Steps of 64 pictures.
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    steps: u64,

    /// Where the learning rate begins; it falls to 0.
    #[arg(long, value_name = "RATE", default_value_t = 3e-4, value_parser = rate)]
    learning_rate: f32,

    /// Which pictures are held out, and in which order the others are seen.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Write the model even if it reads worse than before.
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    how: How,

    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "\
The model learns from your pictures, read as `maobi predict` reads them, mixed
with those that it was first trained on, so that it does not forget them. What
it reads of the pictures held out, and of a test set, is told before and after;
a model that reads worse is not written. The old file stays as it is.

Examples:
  maobi finetune own/                             own/0/a.jpg, own/1/b.jpg …
  maobi finetune runs/tf2-cnn-1 own/
  maobi finetune model.keras numbers.csv --out mine.keras
  maobi predict --model mine.keras photo.jpg

Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=0.9).contains(share)).ok_or_else(|| "expected a share from 0 to 0.9".into())
}

fn rate(text: &str) -> Result<f32, String> {
    text.parse().ok().filter(|rate| *rate > 0.0 && *rate <= 1.0).ok_or_else(|| "expected a number above 0, at most 1".into())
}

/// Adapts, measures, writes.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let console = Console { json: args.json, quiet: false };
    args.how.refuse_layout("the folder or table says what is on each picture")?;
    let out = free(args)?;
    let reader = Reader::open(args.model.get(), &args.network, &args.how, &console)?;
    let own = Own::read(&args.pictures, &reader, args.hold_out, args.seed, console)?;
    let replay = Replay::find(args.replay.as_deref(), args.data_dir.as_deref(), &reader, args.seed, console)?;
    console.say(&format!(
        "{} pictures to learn from and {} to measure with, beside {} images of {}",
        own.train.len(),
        own.held_out.as_ref().map_or(0, Dataset::len),
        count(replay.train.len() as u64),
        replay.name
    ));
    let measure = |reader: &Reader| -> anyhow::Result<(f64, f64)> {
        Ok((read_right(reader, own.measured())?, read_right(reader, &replay.test)?))
    };
    let (from, before) = (reader.file.clone(), measure(&reader)?);
    let (reader, seconds) = match adapt(reader, &own, &replay, args, console)? {
        Some(adapted) => adapted,
        None => return Ok(Exit::Interrupted),
    };
    let after = measure(&reader)?;
    let worse = worse(before, after, replay.test.len());
    let mut result = Outcome { args, from: &from, own: &own, replay: &replay, before, after, seconds, out: None };
    if worse.is_none() || args.force {
        write(&reader, &out)?;
        result.out = Some(&out);
    }
    result.tell(console)?;
    match worse {
        Some(reason) if !args.force => bail!("the model was not written, {reason}; --force writes it all the same"),
        Some(reason) => console.warn(&reason),
        None => {}
    }
    Ok(if own.failed { Exit::Failed } else { Exit::Done })
}

/// The file to write.
fn free(args: &Args) -> anyhow::Result<PathBuf> {
    if let Some(out) = &args.out {
        if out.exists() {
            bail!("{}: is there already; give another --out", out.display());
        }
        if out.extension().is_none_or(|ending| ending != "keras") {
            bail!("{}: expected a name that ends in .keras; maobi export writes other formats", out.display());
        }
        return Ok(out.clone());
    }
    let stem = args.model.get().map(|model| anyhow::Ok(beside(model, named("keras")?).with_extension(""))).transpose()?;
    let stem = stem.unwrap_or_else(|| "digits".into());
    let name = |n: u32| if n == 1 { String::new() } else { format!("-{n}") };
    let names = (1..).map(|n| PathBuf::from(format!("{}-finetuned{}.keras", stem.display(), name(n))));
    names.into_iter().find(|path| !path.exists()).context("no name is free")
}

/// Trains; the reader with the changed model, and how long it took. `None` when the user has stopped it.
fn adapt(reader: Reader, own: &Own, replay: &Replay, args: &Args, console: Console) -> anyhow::Result<Option<(Reader, f64)>> {
    interrupt::listen()?;
    let (preprocessing, options, file) = (reader.preprocessing.clone(), reader.options().clone(), reader.file.clone());
    let mut model = reader.into_model();
    // What is not compiled (weights alone, other programs' files) gets the loss of a classifier.
    let loss = match model.compiled() {
        Some(_) => None,
        None => Some(SparseCategoricalCrossentropy::new().from_logits(!model.gives_probabilities()).into()),
    };
    let (steps, learning_rate, seed) = (args.steps, args.learning_rate, args.seed);
    let (scale, offset) = (preprocessing.scale, preprocessing.offset);
    let how = FineTune { steps, learning_rate, seed, scale, offset, loss, ..replay.how() };
    let start = Instant::now();
    let bars = crate::pictures::steps_bar(steps, console);
    let trained = finetune(&mut model, &own.train, &replay.train, &how, |_| {
        bars.advance(1);
        if interrupt::asked() { Action::Stop } else { Action::Continue }
    });
    bars.finish();
    let gone = trained?;
    if interrupt::asked() {
        return Ok(None);
    }
    if gone < 1.0 {
        console.say(&format!("the weights went {} of the way to the learnt ones, so as not to forget", percent(f64::from(gone))));
    }
    let open = OpenModel { model, preprocessing: None, file, format: "keras" };
    Ok(Some((Reader::new(open, &preprocessing, options)?, start.elapsed().as_secs_f64())))
}

/// Share of a set, of prepared pictures, that is read right.
fn read_right(reader: &Reader, set: &Dataset) -> anyhow::Result<f64> {
    let said = &reader.preprocessing;
    let images = maobi_train::Images::new(set).scaled(said.scale, said.offset);
    let mut outputs = reader.model().predict_examples(&images)?.into_iter().next().unwrap_or_default().into_values();
    if outputs.iter().any(|value| !value.is_finite()) {
        bail!("{}: the network answers NaN or infinity to images of {}; it cannot be adapted", reader.file.display(), set.name());
    }
    let answers = reader.answers(&mut outputs, set.classes());
    let right = answers.iter().zip(set.labels()).filter(|(answer, label)| answer.class == *label as usize).count();
    Ok(right as f64 / set.len().max(1) as f64)
}

/// Why a model is not to be written; the figures are shares of the own pictures and of the `tests` images of the test set.
fn worse(before: (f64, f64), after: (f64, f64), tests: usize) -> Option<String> {
    if after.0 < before.0 {
        return Some(format!("it reads {} of your pictures, before it was {}", percent(after.0), percent(before.0)));
    }
    has_forgotten(before.1, after.1, tests)
        .then(|| format!("it reads {} of the test set, before it was {}", percent(after.1), percent(before.1)))
}

/// The `.keras` file, with what it has to know about its pictures.
fn write(reader: &Reader, out: &Path) -> anyhow::Result<()> {
    if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).with_context(|| format!("{}: the folder cannot be made", folder.display()))?;
    }
    // Without an optimizer, whose memory is of no use to weights that went part of the way.
    run::save_bare(reader.model(), &reader.preprocessing, out)
}

/// What came of it.
struct Outcome<'a> {
    args: &'a Args,
    from: &'a Path,
    own: &'a Own,
    replay: &'a Replay,
    before: (f64, f64),
    after: (f64, f64),
    seconds: f64,
    out: Option<&'a Path>,
}

impl Outcome<'_> {
    fn tell(&self, console: Console) -> anyhow::Result<()> {
        let (own, test) = (self.own.measured().len() as u64, self.replay.test.len() as u64);
        let held = if self.own.held_out.is_some() { "held out" } else { "learnt from" };
        let line = |name: &str, before: f64, after: f64, images: u64| {
            console.result(&format!("{name:<28}  {before:.4} -> {after:.4}  ({} images)", count(images)))
        };
        line(&format!("own pictures, {held}"), self.before.0, self.after.0, own)?;
        line(self.replay.test.name(), self.before.1, self.after.1, test)?;
        if let Some(out) = self.out {
            console.result(&format!("wrote {} after {} steps, {}", out.display(), self.args.steps, duration(self.seconds)))?;
        }
        console.event(&self.json())?;
        Ok(())
    }

    fn json(&self) -> Value {
        json!({
            "model": self.out.map(|out| out.display().to_string()),
            "from": self.from,
            "own": {
                "learnt_from": self.own.train.len(),
                "held_out": self.own.held_out.as_ref().map_or(0, Dataset::len),
                "accuracy_before": self.before.0,
                "accuracy_after": self.after.0,
            },
            "replay": {
                "dataset": self.replay.name,
                "images": self.replay.train.len(),
                "test_images": self.replay.test.len(),
                "accuracy_before": self.before.1,
                "accuracy_after": self.after.1,
            },
            "steps": self.args.steps,
            "seed": self.args.seed,
            "seconds": self.seconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worse_is_one_picture_less_or_a_fifth_of_a_percent_forgotten() {
        assert_eq!(worse((0.8, 0.99), (0.8, 0.9881), 10_000), None);
        assert!(worse((0.8, 0.99), (0.79, 0.995), 10_000).unwrap().contains("79.0 % of your pictures, before it was 80.0 %"));
        assert!(worse((0.8, 0.99), (0.9, 0.98), 10_000).unwrap().contains("98.0 % of the test set"));
        // Two images of two hundred.
        assert_eq!(worse((0.8, 0.99), (0.9, 0.98), 200), None);
    }
}
