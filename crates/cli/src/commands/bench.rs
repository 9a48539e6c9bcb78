//! `maobi bench`.

mod data;
mod figures;
mod measure;
mod memory;

use crate::dataset::{self, Outputs};
use crate::exit::Exit;
use crate::output::Console;
use crate::run::Precision;
use crate::run::recipe_file;
use clap::value_parser;
use maobi_kernels::pool::Pool;
use maobi_train::Recipe;
use std::path::PathBuf;

/// Arguments of `maobi bench`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// Names of recipes (see: maobi recipes) or recipe files; every built-in recipe when left out.
    #[arg(value_name = "RECIPE|FILE.toml")]
    recipes: Vec<String>,

    /// Images an epoch; no more than there are.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = value_parser!(u32).range(1..))]
    samples: u32,

    /// Timed epochs, after one to warm up.
    #[arg(long, value_name = "E", default_value_t = 2, value_parser = value_parser!(u32).range(1..=1000))]
    epochs: u32,

    /// Threads [default: all cores].
    #[arg(long, value_name = "T", value_parser = value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// What to compute with: float32, mixed_bfloat16 or mixed_float16; each recipe's own when left out.
    #[arg(long, value_name = "P")]
    precision: Option<Precision>,

    /// Where to look for mnist/ and fashion-mnist/; nothing is downloaded.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Print one JSON object for each recipe.
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "\
Training: the recipe's own batch size, a new order each epoch, the whole step
counted: pictures gathered and scaled, forward, backward, update, metrics.
Prediction, by the model made for inference: batches of 500, and the time of one
picture alone (median of many calls of the library's predict, nothing else
counted).
GFLOP/s counts the products of convolutions and dense layers as if computed
directly; the share is of the multiply-add rate measured on the same threads.
Algorithms with fewer multiplications (Winograd) do the same work in less, so
it may exceed 100 %.
Memory is the most this process held while it measured the recipe.
Without data, built-in digits are drawn; the speed is the same.

Examples:
  maobi bench                              all recipes, a table
  maobi bench tf2-cnn --samples 60000      whole epochs of MNIST
  maobi bench tiny-cnn softmax --json --threads 1
  MAOBI_ISA=avx2 maobi bench keras-lenet   as on a machine without AVX-512

Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

/// Measures recipe after recipe.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let console = Console { json: args.json, quiet: false };
    let threads = args.threads.map_or_else(Pool::default_threads, usize::from);
    let names: Vec<String> =
        if args.recipes.is_empty() { Recipe::names().map(str::to_owned).collect() } else { args.recipes.clone() };
    // All are read before the first is measured: a slip in the last name should not cost a minute.
    let tables = names.iter().map(|name| recipe_file::read(name)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut shelf = data::Shelf::new(args.data_dir.as_deref(), args.samples as usize, console);
    for (index, table) in tables.iter().enumerate() {
        let mut recipe = table.recipe()?;
        recipe.training.precision = args.precision.unwrap_or(recipe.training.precision);
        let model = recipe.model(1)?;
        let shape = dataset::picture_shape(&model.input_shapes())?;
        let splits = shelf.get(&recipe.data.dataset, shape)?;
        let outputs = model.output_shapes().first().and_then(|s| s.last().copied()).unwrap_or(0);
        // The class of what is no digit is drawn for training alone.
        let outputs = outputs - usize::from(recipe.data.non_digits > 0 && outputs > 0);
        dataset::check_fit(&splits.train, &shape, Outputs::New(outputs))?;
        let how = measure::How {
            samples: args.samples as usize,
            epochs: args.epochs as usize,
            threads,
            precision: recipe.training.precision,
        };
        let figures = measure::measure(&table.name, &recipe, model, &splits, how)?;
        if index == 0 {
            figures.head().lines().try_for_each(|line| console.result(line))?;
        }
        console.result(&figures.row())?;
        console.event(&figures.json())?;
    }
    Ok(Exit::Done)
}
