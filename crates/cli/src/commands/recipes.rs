//! `maobi recipes`.

use crate::exit::Exit;
use crate::output::{Console, count, raw};
use maobi_train::Recipe;

/// Arguments of `maobi recipes`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER, args_conflicts_with_subcommands = true)]
pub struct Args {
    /// What to do; without it, all recipes are listed.
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print a recipe as TOML, to copy and edit.
    #[command(after_help = AFTER)]
    Show {
        /// Name of the recipe.
        name: String,
    },
}

const AFTER: &str = "\
Examples:
  maobi recipes
  maobi recipes show tiny-cnn > mine.toml
  maobi train mine.toml

Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

/// Lists recipes, or prints one.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    match &args.action {
        None => list(),
        Some(Action::Show { name }) => {
            // The error lists the recipes there are.
            Recipe::builtin(name)?;
            raw(Recipe::text(name).unwrap_or_default().as_bytes())?;
            Ok(Exit::Done)
        }
    }
}

fn list() -> anyhow::Result<Exit> {
    let console = Console::default();
    for name in Recipe::names() {
        let recipe = Recipe::builtin(name)?;
        let training = &recipe.training;
        let length = match (training.epochs, training.steps) {
            (Some(1), _) => "1 epoch".to_owned(),
            (Some(epochs), _) => format!("{epochs} epochs"),
            (None, Some(steps)) => format!("{} steps", count(steps)),
            (None, None) => "1 epoch".to_owned(),
        };
        let weights = count(recipe.model(1)?.count_params() as u64);
        console.result(&format!("{name:<17} {weights:>9} weights, {length:>12}  {}", recipe.description))?;
        console.result(&format!("{:<17} published: {}", "", recipe.published))?;
    }
    Ok(Exit::Done)
}
