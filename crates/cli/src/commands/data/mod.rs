//! `maobi data`.

mod download;
mod info;
mod list;
mod preview;

use crate::dataset::{self, Choice};
use crate::exit::Exit;
use crate::output::Console;
use maobi_data::Dataset;
use std::path::{Path, PathBuf};

/// Arguments of `maobi data`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the data sets known by name, and where they are.
    #[command(after_help = AFTER)]
    List(list::Args),
    /// Download a data set, so that it is there when the network is not.
    #[command(after_help = AFTER)]
    Download(download::Args),
    /// Show sizes, classes and pixel values of a data set.
    #[command(after_help = AFTER)]
    Info(info::Args),
    /// Draw the first images of a data set as one PNG.
    #[command(after_help = AFTER)]
    Preview(preview::Args),
}

const AFTER: &str = "\
Named data sets are looked for in --data-dir, or else in the folder that
MAOBI_DATA_DIR names, then in the user's cache.

Examples:
  maobi data list
  maobi data download mnist
  maobi data info pictures/
  maobi data preview builtin --out digits.png

Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

/// Which data set.
#[derive(Debug, clap::Args)]
struct Which {
    /// mnist, fashion-mnist, builtin, a folder of pictures by class, a folder with the four IDX files, or an .npz file.
    #[arg(value_name = "NAME|DIR|FILE.npz")]
    dataset: String,

    /// Where to look for mnist/ and fashion-mnist/, and nowhere else.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Which {
    fn choose(&self, console: Console) -> anyhow::Result<dataset::Chosen> {
        let (asked, data_dir) = (Some(self.dataset.as_str()), self.data_dir.as_deref());
        let choice = Choice {
            asked,
            otherwise: &self.dataset,
            data_dir: data_dir.map(Path::new),
            shape: [28, 28, 1],
            fall_back: false,
            offline: false,
        };
        dataset::choose(choice, console)
    }
}

/// The parts that are there, by name.
fn parts(chosen: &dataset::Chosen) -> Vec<(&'static str, &Dataset)> {
    let splits = &chosen.splits;
    let mut parts = vec![("train", &splits.train), ("test", &splits.test)];
    parts.extend(splits.validation.as_ref().map(|set| ("validation", set)));
    parts
}

/// Runs one of the actions.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    match &args.action {
        Action::List(args) => list::run(args),
        Action::Download(args) => download::run(args),
        Action::Info(args) => info::run(args),
        Action::Preview(args) => preview::run(args),
    }
}
