//! The subcommands, one a file.

pub mod bench;
pub mod calibrate;
pub mod completions;
pub mod data;
pub mod evaluate;
pub mod export;
pub mod finetune;
pub mod predict;
pub mod recipes;
pub mod self_test;
pub mod serve;
pub mod summary;
pub mod train;

use crate::args::{Cli, Command};
use crate::exit::Exit;
use clap::CommandFactory;

/// Runs a subcommand.
pub fn run(command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Train(args) => train::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Finetune(args) => finetune::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Summary(args) => summary::run(&args),
        Command::Recipes(args) => recipes::run(&args),
        Command::Data(args) => data::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::SelfTest(args) => self_test::run(&args),
        Command::Completions(args) => completions::run(&args, Cli::command()),
    }
}
