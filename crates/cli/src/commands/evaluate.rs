//! `maobi evaluate`.

mod photos;
mod report;

use super::predict::pictures::Reader;
use crate::dataset::{self, Choice};
use crate::exit::Exit;
use crate::output::{Console, count, figures};
use crate::run::{self, OpenModel};
use anyhow::{Context, bail};
use clap::ValueEnum;
use maobi_data::Dataset;
use maobi_nn::losses::{Loss, Target};
use maobi_nn::metrics::ConfusionMatrix;
use maobi_recognize::Preprocessing;
use maobi_recognize::preprocessing::{probabilities, starts_with_rescaling};
use maobi_train::{Images, ModelExt};
use maobi_vision::Preprocess;
use photos::Photos;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Arguments of `maobi evaluate`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// A model file of any kind that is read (.keras, .h5, .onnx, a TensorFlow checkpoint …) or a run folder.
    model: PathBuf,

    #[command(flatten)]
    network: run::Network,

    /// What to measure on: mnist, fashion-mnist, builtin, a folder of pictures by class, or an .npz file; what the model was trained on
    /// when left out.
    #[arg(long, value_name = "NAME|DIR|FILE.npz")]
    dataset: Option<String>,

    /// Measure on people's own pictures: a folder with a folder for each class, or a CSV file with the columns file and label (and kind,
    /// and certain: what is not "sure" is left out). They are prepared as `maobi predict` does it.
    #[arg(long, value_name = "DIR|FILE.csv", conflicts_with_all = ["dataset", "split"])]
    photos: Option<PathBuf>,

    /// Where to look for mnist/ and fashion-mnist/, and nowhere else.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Which part of the data.
    #[arg(long, value_enum, default_value_t = Split::Test)]
    split: Split,

    /// Write confusion.png, mistakes.png and report.json to this folder.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,

    #[command(flatten)]
    scaling: Scaling,

    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
}

/// How pixels are scaled, for model files that do not say.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Scaling {
    /// The network sees pixel * SCALE + OFFSET (pixels from 0 to 255); for model files that do not say [default: 1/255]
    #[arg(long, value_name = "SCALE", value_parser = number, allow_hyphen_values = true)]
    scale: Option<f32>,

    /// See --scale [default: 0]
    #[arg(long, value_name = "OFFSET", value_parser = number, allow_hyphen_values = true)]
    offset: Option<f32>,
}

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Split {
    /// What the model is judged by.
    Test,
    /// What it learned from.
    Train,
    /// What was looked at while it learned.
    Validation,
}

const AFTER: &str = "\
Examples:
  maobi evaluate runs/tf2-cnn-1
  maobi evaluate runs/tf2-cnn-1 --report report     with pictures of its mistakes
  maobi evaluate runs/tf2-cnn-1 --photos own/       own/0/a.jpg, own/1/b.jpg …
  maobi evaluate model.keras --dataset mnist --split train
  maobi evaluate from-keras.keras --scale 1/255 --offset -0.5 --json

Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

/// A number, or a fraction such as 1/255.
fn number(text: &str) -> Result<f32, String> {
    let value = match text.split_once('/') {
        Some((a, b)) => a.trim().parse::<f64>().ok().zip(b.trim().parse::<f64>().ok()).map(|(a, b)| a / b),
        None => text.trim().parse().ok(),
    };
    value.filter(|v| v.is_finite()).map(|v| v as f32).ok_or_else(|| "expected a number or a fraction like 1/255".into())
}

impl Scaling {
    /// What the model says, unless the user says otherwise; what is presumed for one that does not say is told.
    pub fn resolve(&self, open: &OpenModel, console: &Console) -> Preprocessing {
        let known = open.preprocessing.is_some();
        let mut preprocessing = open.preprocessing.clone().unwrap_or_else(|| Preprocessing::presumed(&open.model));
        preprocessing.scale = self.scale.unwrap_or(preprocessing.scale);
        preprocessing.offset = self.offset.unwrap_or(preprocessing.offset);
        if !known && self.scale.is_none() && self.offset.is_none() {
            let (scale, offset) = (preprocessing.scale, preprocessing.offset);
            let shown = if scale == 1.0 {
                "pixels from 0 to 255 as they are, which its Rescaling layer scales".to_owned()
            } else {
                format!("pixel / {:.0} + {offset}", 1.0 / scale)
            };
            console.say(&format!(
                "{} does not say how its pixels are scaled; taking {shown} (change it with --scale and --offset)",
                open.file.display()
            ));
        }
        preprocessing
    }
}

/// What was measured.
pub struct Measured {
    /// The images.
    pub set: Dataset,
    /// Loss and metrics, by name.
    pub figures: Vec<(String, f64)>,
    /// Optimizer steps of the model, where known.
    pub global_step: Option<u64>,
    /// Who was taken for whom.
    pub confusion: ConfusionMatrix,
    /// `[images, classes]`.
    pub probabilities: Vec<f32>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Per kind of picture, where there are kinds: how many, and how many were read right.
    pub kinds: Option<photos::Kinds>,
}

/// Measures and reports.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let console = Console { json: args.json, quiet: false };
    let open = run::load(&args.model, &args.network, &console)?;
    let preprocessing = args.scaling.resolve(&open, &console);
    let photos = args.photos.as_ref().map(|what| own_pictures(what, &open, &preprocessing, console)).transpose()?;
    let set = match &photos {
        Some(photos) => photos.set.clone(),
        None => choose(args, &open, &preprocessing, console)?,
    };
    let mut measured = measure(&open, &preprocessing, set)?;
    measured.kinds = photos.as_ref().map(|photos| photos.by_kind(&measured));
    if let Some(folder) = &args.report {
        report::write(folder, &measured, &open)?;
        console.say(&format!("wrote confusion.png, mistakes.png and report.json to {}", folder.display()));
    }
    if console.json {
        console.event(&measured.to_json())?;
    } else {
        measured.print(&console)?;
        if let Some(kinds) = &measured.kinds {
            photos::print(kinds, &console)?;
        }
    }
    Ok(if photos.is_some_and(|photos| photos.failed) { Exit::Failed } else { Exit::Done })
}

fn own_pictures(what: &Path, open: &OpenModel, preprocessing: &Preprocessing, console: Console) -> anyhow::Result<Photos> {
    let shape = dataset::picture_shape(&open.model.input_shapes())?;
    let classes = open.model.output_shapes().first().and_then(|s| s.last().copied()).unwrap_or(0);
    let classes: Vec<String> = (0..classes).map(|label| preprocessing.class(label)).collect();
    photos::read(what, &Reader::new(Preprocess::Auto, shape)?, shape, &classes, console)
}

fn choose(args: &Args, open: &OpenModel, preprocessing: &Preprocessing, console: Console) -> anyhow::Result<Dataset> {
    let shape = dataset::picture_shape(&open.model.input_shapes())?;
    let Some(asked) = args.dataset.as_deref().or(preprocessing.dataset.as_deref()) else {
        bail!("{} does not say what it was trained on; give --dataset, such as --dataset mnist", open.file.display());
    };
    let choice = Choice { asked: Some(asked), otherwise: asked, data_dir: args.data_dir.as_deref(), shape, fall_back: false };
    let splits = dataset::choose(choice, console)?.splits;
    let set = match args.split {
        Split::Test => splits.test,
        _ => {
            let parts = dataset::parts(splits, preprocessing.validation_head, preprocessing.validation_tail, None)?;
            match args.split {
                Split::Validation => parts.validation.with_context(|| {
                    format!("--split validation: {asked} has no validation images, and the model's recipe sets none aside; use --split test")
                })?,
                _ => parts.train,
            }
        }
    };
    let outputs = open.model.output_shapes();
    let [output] = outputs.as_slice() else { bail!("{}: has {} outputs; expected one", open.file.display(), outputs.len()) };
    let classes = output.last().copied().unwrap_or(0);
    if output.len() != 1 || classes == 0 {
        bail!("{}: its output has shape {output:?}; expected one value for each class", open.file.display());
    }
    dataset::check_fit(&set, &shape, classes, false)?;
    let rescales = starts_with_rescaling(&open.model);
    for remark in dataset::remarks(&set, preprocessing.scale, preprocessing.offset, rescales) {
        console.warn(&remark);
    }
    Ok(set)
}

fn measure(open: &OpenModel, preprocessing: &Preprocessing, set: Dataset) -> anyhow::Result<Measured> {
    let model = &open.model;
    let images = Images::new(&set).scaled(preprocessing.scale, preprocessing.offset);
    let classes = model.output_shapes().first().and_then(|s| s.last().copied()).unwrap_or(0);
    let loss = model.compiled().and_then(|how| how.losses.first()).copied();
    let hot = loss.is_some_and(|loss| !matches!(loss, Loss::SparseCategoricalCrossentropy { .. }));
    // One-hot rows are as long as the data has classes: with fewer of them than outputs, the model's own loss cannot be taken.
    let compiled = loss.is_some() && (!hot || set.classes() == classes);
    let (mut figures, outputs) = if compiled {
        model.evaluate_with_outputs(&images.clone().one_hot(hot))?
    } else {
        (Vec::new(), model.predict_examples(&images)?)
    };
    let mut values = outputs.into_iter().next().unwrap_or_default();
    probabilities(model, &mut values, classes);
    let labels: Vec<u32> = set.labels().collect();
    let mut confusion = ConfusionMatrix::new(classes);
    confusion.update(labels.len(), &values, Target::Classes(&labels))?;
    if !compiled {
        figures.push(("loss".into(), crossentropy(&values, &labels, classes)));
    }
    // Every model's accuracy is told, whatever it was compiled with.
    if !figures.iter().any(|(name, _)| name == "accuracy") {
        figures.insert(1, ("accuracy".into(), confusion.accuracy()));
    }
    let names =
        (0..classes).map(|label| set.class_names().get(label).cloned().unwrap_or_else(|| preprocessing.class(label))).collect();
    let global_step = model.optimizer_state_ref().map(|state| state.iterations).filter(|step| *step > 0);
    Ok(Measured { set, figures, global_step, confusion, probabilities: values, classes: names, kinds: None })
}

/// Mean of −log p of the true class, p kept above Keras' epsilon of 1e-7.
fn crossentropy(probabilities: &[f32], labels: &[u32], classes: usize) -> f64 {
    let rows = probabilities.chunks_exact(classes.max(1)).zip(labels);
    let sum: f64 = rows.map(|(row, &label)| -f64::from(row[label as usize].clamp(1e-7, 1.0)).ln()).sum();
    sum / labels.len().max(1) as f64
}

impl Measured {
    /// The object of `--json` and of `report.json`.
    pub fn to_json(&self) -> Value {
        let mut all = Map::new();
        all.extend(self.figures.iter().map(|(name, value)| (name.clone(), json!(value))));
        all.insert("images".into(), json!(self.set.len()));
        all.insert("dataset".into(), json!(self.set.name()));
        all.insert("global_step".into(), json!(self.global_step));
        let per_class = self.confusion.per_class().into_iter().zip(&self.classes).enumerate().map(|(label, (report, name))| {
            json!({
                "label": label,
                "class": name,
                "precision": report.precision,
                "recall": report.recall,
                "f1": report.f1,
                "support": report.support,
            })
        });
        all.insert("per_class".into(), per_class.collect());
        all.insert("confusion_matrix".into(), json!(self.matrix()));
        if let Some(kinds) = &self.kinds {
            all.insert("by_kind".into(), photos::to_json(kinds));
        }
        Value::Object(all)
    }

    /// Rows are true classes.
    pub fn matrix(&self) -> Vec<Vec<u64>> {
        self.confusion.counts().chunks_exact(self.classes.len().max(1)).map(<[u64]>::to_vec).collect()
    }

    fn print(&self, console: &Console) -> anyhow::Result<()> {
        let named =
            |wanted: bool| self.figures.iter().filter(move |(n, _)| (n == "loss") == wanted).map(|(n, v)| (n.as_str(), *v));
        let step = self.global_step.map(|step| format!(", global_step {step}")).unwrap_or_default();
        let (images, set) = (count(self.set.len() as u64), self.set.name());
        console.result(&format!("{}{step}, {} ({images} images of {set})", figures(named(false)), figures(named(true))))?;
        let width = self.classes.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(5);
        console.result(&format!("\n{:<width$}  precision  recall      f1  images", "class"))?;
        for (report, name) in self.confusion.per_class().into_iter().zip(&self.classes) {
            console.result(&format!(
                "{name:<width$}  {:>9.4}  {:.4}  {:.4}  {:>6}",
                report.precision,
                report.recall,
                report.f1,
                count(report.support)
            ))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_numbers() {
        assert_eq!(number("1/255"), Ok(1.0 / 255.0));
        assert_eq!(number("-0.5"), Ok(-0.5));
        for bad in ["", "1/0", "x", "nan", "1/2/3"] {
            assert!(number(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn crossentropy_by_hand() {
        let expected = -(0.25f64.ln() + 1e-7f64.ln()) / 2.0;
        // 1e-7 as f32 differs from it by 1e-8 relative.
        assert!((crossentropy(&[0.25, 0.75, 1.0, 0.0], &[0, 1], 2) - expected).abs() < 1e-6);
    }
}
