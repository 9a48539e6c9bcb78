//! The `maobi` binary: train, evaluate and use small image classifiers from the command line.

mod args;
mod commands;
mod dataset;
mod exit;
mod file_size;
mod output;
mod pictures;
mod run;
mod training;
mod usage;

use std::process::ExitCode;

fn main() -> ExitCode {
    file_size::report_limit();
    let cli = match usage::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let result = maobi_kernels::isa::check_env().map_err(anyhow::Error::msg).and_then(|_| commands::run(cli.command));
    exit::code(result)
}
