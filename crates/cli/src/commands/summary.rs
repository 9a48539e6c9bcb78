//! `maobi summary`.

use crate::exit::{Exit, usage};
use crate::output::Console;
use crate::run::{self, recipe_file};
use std::path::{Path, PathBuf};

/// Arguments of `maobi summary`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// A recipe's name, a recipe file (.toml), a model file or a run folder.
    #[arg(value_name = "RECIPE|MODEL", required_unless_present = "model")]
    what: Option<String>,

    /// The same as the argument MODEL: a model file or a run folder.
    #[arg(long, short, value_name = "MODEL", conflicts_with = "what")]
    model: Option<PathBuf>,

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
    let recipe = args.what.as_deref().filter(|what| recipe_file::is_recipe(what));
    let model = if let Some(recipe) = recipe {
        if args.network.is_given() {
            return Err(usage(format!("--network is for files of weights; {recipe} is a recipe, which says its network")));
        }
        recipe_file::read(recipe)?.recipe()?.model(1)?
    } else {
        let file = args.model.as_deref().or(args.what.as_deref().map(Path::new)).unwrap_or(Path::new(""));
        run::open(file, &args.network, &console, false)?.model
    };
    // The table escapes names itself.
    model.summary().lines().try_for_each(|line| console.result(line))?;
    Ok(Exit::Done)
}
