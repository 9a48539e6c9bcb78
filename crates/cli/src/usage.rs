//! From the arguments to a command: help and mistakes in usage are printed here.

use crate::args::Cli;
use crate::output;
use clap::Parser;
use maobi_nn::text::escaped;
use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// The command line, or the exit code once help or an error is printed: 0 for help, 2 for wrong usage, 1 when help cannot be printed.
pub fn parse() -> Result<Cli, ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    Cli::try_parse_from(&arguments).map_err(|error| {
        // The message quotes arguments, so it is made again from escaped ones.
        let safe = arguments.iter().map(|argument| escaped(&argument.to_string_lossy()).into_owned());
        let error = Cli::try_parse_from(safe).err().unwrap_or(error);
        let code = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        match error.print().and_then(|()| std::io::stdout().flush()) {
            Err(failed) if !error.use_stderr() && failed.kind() != ErrorKind::BrokenPipe => {
                output::error(&format!("standard output: {failed}"));
                ExitCode::from(1)
            }
            _ => code,
        }
    })
}
