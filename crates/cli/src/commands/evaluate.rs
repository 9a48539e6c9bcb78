//! `maobi evaluate`.

mod non_digits;
mod photos;
mod report;
mod score;
mod test_set;

use crate::exit::Exit;
use crate::output::Console;
use crate::pictures::{How, Reader};
use crate::run;
use clap::ValueEnum;
use std::path::PathBuf;

/// Arguments of `maobi evaluate`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    #[command(flatten)]
    model: run::ModelArgument,

    #[command(flatten)]
    network: run::Network,

    /// What to measure on: mnist, fashion-mnist, builtin, a folder of pictures by class, or an .npz file; what the model was trained on
    /// when left out.
    #[arg(long, value_name = "NAME|DIR|FILE.npz")]
    dataset: Option<String>,

    /// Measure on people's own pictures, read as `maobi predict` does it: a folder with a folder for each class (none for pictures
    /// without a digit), or a CSV file with the columns file and label, or truth for several digits (lines joined by |), and perhaps
    /// kind, and certain: what is not "sure" is left out.
    #[arg(long, value_name = "DIR|FILE.csv", conflicts_with_all = ["dataset", "data_dir", "split"])]
    photos: Option<PathBuf>,

    /// Measure how many of these pictures, none of which shows a digit, are rejected: a folder of pictures, in folders by kind, or a
    /// data set such as fashion-mnist.
    #[arg(long, value_name = "DIR|NAME|FILE.npz", conflicts_with_all = ["dataset", "photos", "split"])]
    non_digits: Option<String>,

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
    how: How,

    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
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
  maobi evaluate --photos own/                      own/0/a.jpg, own/1/b.jpg …
  maobi evaluate --photos numbers.csv               file,truth: a.jpg,2047 …
  maobi evaluate model.keras --non-digits fashion-mnist
  maobi evaluate model.keras --dataset mnist --split train
  maobi evaluate from-keras.keras --scale 1/255 --offset -0.5 --json

Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

/// Measures and reports.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let console = Console { json: args.json, quiet: false };
    if args.photos.is_none() && args.non_digits.is_none() {
        args.how.refuse("the pictures of a data set are taken as they are; it is for --photos and --non-digits")?;
    }
    let reader = Reader::open(args.model.get(), &args.network, &args.how, &console)?;
    if let Some(what) = &args.photos {
        return photos::run(what, &reader, args, console);
    }
    if let Some(what) = &args.non_digits {
        return non_digits::run(what, &reader, args, console);
    }
    test_set::run(&reader, args, console)
}
