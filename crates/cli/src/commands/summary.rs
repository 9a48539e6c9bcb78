//! `maobi summary`.

use crate::exit::Exit;
use crate::output::Console;
use crate::run::{self, recipe_file};

/// Arguments of `maobi summary`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// A recipe's name, a recipe file (.toml), a model file or a run folder.
    #[arg(value_name = "RECIPE|MODEL")]
    what: String,

    #[command(flatten)]
    network: run::Network,
}

const AFTER: &str = "\
Examples:
  maobi summary tf2-cnn
  maobi summary mine.toml
  maobi summary runs/tf2-cnn-1
  maobi summary model.keras

Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

/// Prints the table that Keras prints.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let console = Console::default();
    let model = if recipe_file::is_recipe(&args.what) {
        recipe_file::read(&args.what)?.recipe()?.model(1)?
    } else {
        run::open(args.what.as_ref(), &args.network, &console)?.model
    };
    // The table escapes names itself.
    model.summary().lines().try_for_each(|line| console.result(line))?;
    Ok(Exit::Done)
}
