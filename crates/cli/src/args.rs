//! The command line: what every subcommand takes stands with the subcommand.

use crate::commands::{
    bench, calibrate, completions, data, evaluate, export, finetune, predict, recipes, self_test, serve, summary, train,
};
use clap::{Parser, Subcommand};

/// Train, check and use small image classifiers on ordinary CPUs.
#[derive(Debug, Parser)]
#[command(
    name = "maobi",
    version,
    propagate_version = true,
    about,
    long_about = "Train, check and use small image classifiers on ordinary CPUs.\n\n\
        Recipes are the published networks for handwritten digits, ready to train; models are Keras' own .keras files, \
        and those of TensorFlow, ONNX and others are read and written too. \
        Progress goes to stderr, results go to stdout.",
    after_help = AFTER,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER: &str = "\
Examples:
  maobi train                                   a network that reads digits
  maobi evaluate runs/tf2-cnn-1 --report out    how well, and where it errs
  maobi predict my.png                          what is on your own picture
  maobi serve                                   the same for other programs, over HTTP
  maobi recipes show tiny-cnn > mine.toml       to start a network of your own

Environment: MAOBI_DATA_DIR  folder with mnist/ and fashion-mnist/
             MAOBI_ISA       scalar, avx2 or avx512 instead of the best there is

Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a network, and test it.
    Train(train::Args),
    /// Measure a trained model on a data set.
    Evaluate(evaluate::Args),
    /// Make a model's probabilities mean what they say.
    Calibrate(calibrate::Args),
    /// Write a model in another format.
    Export(export::Args),
    /// Adapt a model to your own pictures.
    Finetune(finetune::Args),
    /// Read pictures of your own.
    Predict(predict::Args),
    /// Answer over HTTP: other programs' requests, and pictures.
    Serve(serve::Args),
    /// Show the layers of a recipe or model.
    Summary(summary::Args),
    /// List the built-in networks, or print one to copy and edit.
    Recipes(recipes::Args),
    /// List, download and look at data sets.
    Data(data::Args),
    /// Measure how fast recipes train and predict on this machine.
    Bench(bench::Args),
    /// Check that everything computes as it should on this machine.
    SelfTest(self_test::Args),
    /// Print a completion script for a shell.
    Completions(completions::Args),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    const EXIT_CODES: &str = "Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_subcommand_has_examples_and_exit_codes() {
        for command in Cli::command().get_subcommands() {
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.contains("Examples:") && after.contains(EXIT_CODES), "{}", command.get_name());
        }
    }
}
