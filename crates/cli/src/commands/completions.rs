//! `maobi completions`.

use crate::exit::Exit;
use crate::output::raw;
use clap::Command;
use clap_complete::Shell;

/// Arguments of `maobi completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER)]
pub struct Args {
    /// The shell to complete for.
    shell: Shell,
}

const AFTER: &str = "\
Examples:
  maobi completions bash > ~/.local/share/bash-completion/completions/maobi
  maobi completions zsh > ~/.zfunc/_maobi
  maobi completions fish > ~/.config/fish/completions/maobi.fish

Exit codes: 0 all is well, 1 failed (stderr says why), 2 wrong usage, 130 Ctrl-C.";

/// Prints the script for the command line that `of` describes.
pub fn run(args: &Args, mut of: Command) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut of, "maobi", &mut script);
    raw(&script)?;
    Ok(Exit::Done)
}
