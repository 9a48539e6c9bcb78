//! The `maobi` binary: train, evaluate and use small image classifiers from the command line.

mod args;
mod commands;
mod dataset;
mod exit;
mod output;
mod pictures;
mod run;
mod training;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    let result = maobi_kernels::isa::check_env().map_err(anyhow::Error::msg).and_then(|_| commands::run(cli.command));
    exit::code(result)
}
