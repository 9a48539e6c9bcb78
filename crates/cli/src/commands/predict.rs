//! `maobi predict`.

pub mod pictures;

use super::evaluate::Scaling;
use crate::dataset;
use crate::exit::Exit;
use crate::output::{Console, error, percent};
use crate::run::{self, OpenModel};
use anyhow::bail;
use maobi_recognize::Preprocessing;
use maobi_recognize::preprocessing::probabilities;
use maobi_vision::Preprocess;
use pictures::{Reader, expand};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Pictures that go through the network at once.
const BATCH: usize = 256;

/// Arguments of `maobi predict`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// A model file of any kind that is read (.keras, .h5, .onnx, a TensorFlow checkpoint …) or a run folder.
    #[arg(long, short)]
    model: PathBuf,

    #[command(flatten)]
    network: run::Network,

    /// Pictures (PNG, JPEG, BMP, GIF, WebP, TIFF) of any size, folders of pictures, or - for one picture on stdin.
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<PathBuf>,

    /// How a picture becomes what the network sees: auto finds the ink and centres it as in MNIST; invert is for dark ink on clean
    /// white paper; threshold takes what is darker than 140 for ink; none is for pictures that look like MNIST already.
    #[arg(long, value_name = "HOW", default_value = "auto", value_parser = ["auto", "invert", "threshold", "none"])]
    preprocess: String,

    /// Show the K likeliest classes.
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    top: u64,

    #[command(flatten)]
    scaling: Scaling,

    /// Print one JSON object for each picture.
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "\
Pictures that cannot be read are reported on stderr and the others still done;
the exit code is 1 then.

Examples:
  maobi predict --model runs/tf2-cnn-1 seven.png
  maobi predict --model model.keras scans/ --top 3
  maobi predict --model model.keras --preprocess invert *.png --json

Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

/// Reads pictures, tells what is on them.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let console = Console { json: args.json, quiet: false };
    let open = run::load(&args.model, &args.network, &console)?;
    let shape = dataset::picture_shape(&open.model.input_shapes())?;
    let outputs = open.model.output_shapes();
    let [classes] = outputs.iter().map(|s| s.as_slice()).collect::<Vec<_>>()[..] else {
        bail!("{}: has {} outputs; expected one", open.file.display(), outputs.len());
    };
    let &[classes] = classes else {
        bail!("{}: its output has shape {classes:?}; expected one value for each class", open.file.display());
    };
    let preprocessing = args.scaling.resolve(&open, &console);
    let how: Preprocess = args.preprocess.parse()?;
    let reader = Reader::new(how, shape)?;
    let (files, mut failed) = expand(&args.images);
    for files in files.chunks(BATCH) {
        failed |= batch(files, &reader, &open, &preprocessing, classes, args, console)?;
    }
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

/// One batch; whether a picture of it could not be read.
fn batch(
    files: &[PathBuf],
    reader: &Reader,
    open: &OpenModel,
    preprocessing: &Preprocessing,
    classes: usize,
    args: &Args,
    console: Console,
) -> anyhow::Result<bool> {
    let mut failed = false;
    let (mut values, mut read) = (Vec::new(), Vec::new());
    for file in files {
        match reader.read(file) {
            Ok(seen) => {
                if seen.blank {
                    console.warn(&format!("{}: there is no ink on it; the answer means nothing", file.display()));
                }
                values.extend(seen.pixels.iter().map(|&pixel| f32::from(pixel) * preprocessing.scale + preprocessing.offset));
                read.push(file);
            }
            Err(reason) => {
                error(&reason);
                failed = true;
            }
        }
    }
    if read.is_empty() {
        return Ok(failed);
    }
    let mut rows = open.model.predict(&[&values])?.into_iter().next().unwrap_or_default();
    probabilities(&open.model, &mut rows, classes);
    for (file, row) in read.iter().zip(rows.chunks_exact(classes.max(1))) {
        let answer = Answer::new(row, preprocessing, args.top as usize);
        console.result(&format!("{}: {}", file.display(), answer.text()))?;
        console.event(&answer.json(&file.display().to_string(), row))?;
    }
    Ok(failed)
}

/// The likeliest classes of a picture: label, name, probability.
struct Answer {
    top: Vec<(usize, String, f32)>,
}

impl Answer {
    fn new(row: &[f32], preprocessing: &Preprocessing, top: usize) -> Answer {
        let mut labels: Vec<usize> = (0..row.len()).collect();
        labels.sort_by(|&a, &b| row[b].total_cmp(&row[a]).then(a.cmp(&b)));
        Answer { top: labels.into_iter().take(top.max(1)).map(|label| (label, preprocessing.class(label), row[label])).collect() }
    }

    fn text(&self) -> String {
        let one = |(_, name, probability): &(usize, String, f32)| format!("{name} ({})", percent(f64::from(*probability)));
        self.top.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    fn json(&self, file: &str, row: &[f32]) -> Value {
        let mut object = Map::new();
        object.insert("file".into(), json!(file));
        if let Some((label, name, probability)) = self.top.first() {
            object.insert("digit".into(), json!(label));
            object.insert("class".into(), json!(name));
            object.insert("probability".into(), json!(probability));
        }
        object.insert("probabilities".into(), json!(row));
        if self.top.len() > 1 {
            let top = self.top.iter().map(|(label, name, p)| json!({ "digit": label, "class": name, "probability": p }));
            object.insert("top".into(), top.collect());
        }
        Value::Object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_sorted_and_named() {
        let model = maobi_train::Recipe::builtin("softmax").unwrap().model(1).unwrap();
        let names = Preprocessing { classes: vec!["zero".into(), "one".into(), "two".into()], ..Preprocessing::presumed(&model) };
        let answer = Answer::new(&[0.2, 0.5, 0.3], &names, 2);
        assert_eq!(answer.text(), "one (50.0 %), two (30.0 %)");
        let json = answer.json("a.png", &[0.2, 0.5, 0.3]);
        assert_eq!((json["digit"].as_u64(), json["top"].as_array().map(Vec::len)), (Some(1), Some(2)));
        assert_eq!(Answer::new(&[0.0; 3], &names, 9).top.len(), 3);
    }
}
