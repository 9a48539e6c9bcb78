//! `maobi calibrate`.

use crate::dataset::{self, Choice, Outputs};
use crate::exit::Exit;
use crate::output::Console;
use crate::run;
use anyhow::{Context, bail};
use maobi_nn::Model;
use maobi_nn::losses::Loss;
use maobi_recognize::Preprocessing;
use maobi_train::temperature::calibrate;
use maobi_train::{Images, ModelExt};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `maobi calibrate`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(flatten)]
    model: run::RequiredModel,

    /// The .keras file to write: the network and its weights, without the optimizer.
    #[arg(long, short, value_name = "FILE.keras")]
    out: PathBuf,

    /// What to calibrate on; the images that the run set aside for validation when left out.
    #[arg(long, value_name = "NAME|DIR|FILE.npz")]
    dataset: Option<String>,

    /// Where to look for mnist/ and fashion-mnist/, and nowhere else.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Replace what is there already.
    #[arg(long)]
    force: bool,

    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "\
Divides the logits by the temperature at which the loss on held-out images is
least (Guo et al. 2017), for good: which class is likeliest never changes, how
sure the model is of it does. The file is smaller, too: it holds no optimizer.

Examples:
  maobi calibrate runs/digits-1 --out digits.keras
  maobi calibrate model.keras --dataset pictures/ --out calibrated.keras

Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

/// Fits the temperature, writes the model.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let console = Console { json: args.json, quiet: false };
    if args.out.exists() && !args.force {
        bail!("{}: is there already; give another --out, or --force to replace it", args.out.display());
    }
    if args.out.extension().is_none_or(|ending| ending != "keras") {
        bail!("{}: expected a name that ends in .keras", args.out.display());
    }
    let mut open = run::load(args.model.get(), &run::Network::default(), &console)?;
    let preprocessing = open.preprocessing.clone().unwrap_or_else(|| Preprocessing::presumed(&open.model));
    let (head, tail) = (preprocessing.validation_head, preprocessing.validation_tail);
    if args.dataset.is_none() && head.is_none() && tail.is_none() {
        bail!(
            "{}: set no images aside for validation; give --dataset with pictures that it was not trained on, or train it with \
             validation = {{ tail = 0.05 }} under [data]",
            open.file.display()
        );
    }
    let asked = args.dataset.as_deref();
    let otherwise = preprocessing.dataset.as_deref().unwrap_or("mnist");
    let shape = dataset::picture_shape(&open.model.input_shapes())?;
    let choice = Choice { asked, otherwise, data_dir: args.data_dir.as_deref(), shape, fall_back: false, offline: false };
    let splits = dataset::choose(choice, console)?.splits;
    let held_out = match args.dataset {
        Some(_) => splits.train,
        None => dataset::parts(splits, head, tail, None)?.validation.context("there are no images for validation")?,
    };
    let images = Images::new(&held_out).scaled(preprocessing.scale, preprocessing.offset);
    let sparse = open.model.compiled().and_then(|how| how.losses.first()).is_some_and(Loss::takes_classes);
    let outputs = open.model.output_shapes().first().and_then(|shape| shape.last().copied()).unwrap_or(0);
    let names: Vec<String> = (0..outputs).map(|label| preprocessing.class(label)).collect();
    dataset::check_fit(&held_out, &shape, Outputs::Trained(&names))?;
    let images = images.one_hot(!sparse).outputs(outputs);
    let loss = |model: &mut Model| -> anyhow::Result<f64> {
        let logs = model.evaluate(&images)?;
        logs.iter().find(|(name, _)| name == "loss").map(|(_, loss)| *loss).context("the model has no loss")
    };
    let before = loss(&mut open.model)?;
    let temperature = calibrate(&mut open.model, &images).with_context(|| format!("{}: was not written", args.out.display()))?;
    let after = loss(&mut open.model)?;
    run::save_bare(&open.model, &preprocessing, &args.out)?;
    let size = std::fs::metadata(&args.out).map_or(0, |file| file.len());
    console.result(&format!(
        "temperature {temperature:.3}: loss {before:.4} before, {after:.4} after ({} images of {})",
        held_out.len(),
        held_out.name()
    ))?;
    console.result(&format!("wrote {} ({size} bytes)", args.out.display()))?;
    console.event(
        &json!({ "file": args.out.display().to_string(), "temperature": temperature, "loss_before": before, "loss": after }),
    )?;
    Ok(Exit::Done)
}
