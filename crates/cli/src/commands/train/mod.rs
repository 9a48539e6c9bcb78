//! `maobi train`.

mod ensemble;
mod finish;
mod further;
mod plan;
mod recorded;
mod session;
mod single;
mod start;

use crate::exit::Exit;
use crate::output::Console;
use crate::run::Precision;
use crate::run::overrides::Overrides;
use clap::value_parser;
use maobi_kernels::pool::Pool;
use std::path::PathBuf;

/// Arguments of `maobi train`.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// A recipe's name (see: maobi recipes) or a recipe file; tf2-cnn when left out.
    ///
    /// The config.toml of a run trains the same anew: its recipe, seed, data, --limit, --weights and --ensemble, where the command line
    /// does not say otherwise.
    #[arg(value_name = "RECIPE|FILE.toml")]
    pub recipe: Option<String>,

    /// mnist, fashion-mnist, builtin, a folder of pictures by class, a folder with the four IDX files, or an .npz file.
    ///
    /// When left out, it is the recipe's own; where that is mnist and can neither be found nor downloaded, the built-in digits.
    #[arg(long, value_name = "NAME|DIR|FILE.npz")]
    pub dataset: Option<String>,

    /// Where to look for mnist/ and fashion-mnist/, and nowhere else.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// The run folder; runs/RECIPE-N when left out.
    ///
    /// A recipe by steps (such as deep-cnn) goes on with the run in it.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Times to go through the training images. With --resume, a run goes on to so many in all.
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=1_000_000_000), conflicts_with = "steps")]
    pub epochs: Option<u64>,

    /// Optimizer steps in all, counting those of earlier runs on the same folder.
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=1_000_000_000_000))]
    pub steps: Option<u64>,

    /// Images a step.
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=1_000_000))]
    pub batch_size: Option<u64>,

    /// Learning rate, in place of the recipe's; of a schedule, the rate it starts from.
    #[arg(long, value_name = "X", value_parser = learning_rate)]
    pub learning_rate: Option<f64>,

    /// What layers compute with: float32, mixed_bfloat16 or mixed_float16 (Keras' dtype policies); the recipe's when left out.
    ///
    /// The mixed ones give Keras' numbers, not speed. Weights are f32 in all of them.
    #[arg(long, value_name = "P")]
    pub precision: Option<Precision>,

    /// Seed of the first weights, the order of images and dropout: the same seed gives the same network, bit for bit [default: 1]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,

    /// Train K networks, with the seeds N, N + 1, …, and join them into one model that answers with the mean of their answers.
    ///
    /// Each has a run folder of its own, member-1 and so on, in the run folder; called again with the same --out, those that are
    /// complete stay, and the one that was interrupted goes on.
    #[arg(long, value_name = "K", value_parser = value_parser!(u64).range(2..=100), conflicts_with_all = ["resume", "weights"])]
    pub ensemble: Option<u64>,

    /// Threads [default: all cores]; the result does not depend on it.
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=1024))]
    pub threads: Option<u64>,

    /// Train on the first N training images only (after those for validation are set aside); the test set stays whole.
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=4_294_967_295))]
    pub limit: Option<u64>,

    /// Curves, weights and the network for TensorBoard, in this folder: tensorboard --logdir DIR shows them.
    #[arg(long, value_name = "DIR")]
    pub tensorboard: Option<PathBuf>,

    /// Begin with the weights of this model file (of any kind that is read: .keras, .h5, a TensorFlow checkpoint …) instead of new ones; with
    /// the optimizer's state where the file holds it.
    #[arg(long, value_name = "MODEL", conflicts_with = "resume")]
    pub weights: Option<PathBuf>,

    /// Go on with an interrupted run: the one in --out, else the last unfinished one in runs/. In an empty folder a run starts.
    ///
    /// It ends with the same weights as if it had never been interrupted. With --epochs N, a run goes on to N epochs, also when it was
    /// finished with fewer.
    #[arg(long)]
    pub resume: bool,

    /// Start anew in --out where it holds a run. The old files are removed when training begins, and no others.
    #[arg(long, conflicts_with = "resume", requires = "out")]
    pub overwrite: bool,

    /// Print results as JSON, one object a line: epochs (and steps), at last the test.
    #[arg(long)]
    pub json: bool,

    /// No progress on stderr, warnings and errors only.
    #[arg(long, short)]
    pub quiet: bool,
}

const AFTER: &str = "\
The run folder holds config.toml (all that the run was made of), model.keras,
checkpoints/, history.csv and curves.png. Ctrl-C saves and stops, a second
Ctrl-C stops at once; --resume goes on, even after a crash.

Examples:
  maobi train                                  tf2-cnn on MNIST or built-in digits
  maobi train tiny-cnn --limit 6000            a quick look
  maobi train deep-cnn --steps 1000 --out deep
  maobi train deep-cnn --steps 2000 --out deep     the next 1,000 steps
  maobi train mine.toml --dataset pictures/    your own network and pictures
  maobi train tf2-cnn --tensorboard logs       for TensorBoard
  maobi train tiny-cnn --weights cnn.h5        go on from a file
  maobi train best --ensemble 3                three networks that answer as one
  maobi train --resume --out runs/tf2-cnn-1    go on after an interruption
  maobi train --resume --epochs 9 --out runs/tf2-cnn-1    and to 9 epochs in all

Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

fn learning_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 && (rate as f32) > 0.0 && (rate as f32).is_finite() => Ok(rate),
        _ => Err("expected a number above 0, such as 0.001".into()),
    }
}

impl Args {
    fn overrides(&self) -> Overrides {
        Overrides {
            epochs: self.epochs,
            steps: self.steps,
            batch_size: self.batch_size,
            learning_rate: self.learning_rate,
            precision: self.precision,
        }
    }

    /// `--threads`, or all cores.
    fn threads(&self) -> usize {
        self.threads.map_or_else(Pool::default_threads, |n| n as usize)
    }
}

/// Trains and tests.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    let console = Console { json: args.json, quiet: args.quiet };
    let args = &recorded::complete(args.clone(), console)?;
    if let Some(members) = args.ensemble {
        return ensemble::run(args, members, console);
    }
    let plan = plan::Plan::new(args, console)?;
    single::run(plan, args, console)
}
