//! How a command ends, and the exit code for it.

use crate::output;
use std::io::ErrorKind;
use std::process::ExitCode;

/// The end of a command that could do its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well: 0.
    Done,
    /// Something was reported on the way, such as one picture of many that cannot be read: 1.
    Failed,
    /// Stopped by the user: 130, as shells have it for Ctrl-C.
    Interrupted,
}

/// A command line whose parts do not go together: 2. Most of these end in clap already.
#[derive(Debug)]
struct Usage(String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// The error for options that do not go together: the command ends with exit code 2.
pub fn usage(message: impl Into<String>) -> anyhow::Error {
    Usage(message.into()).into()
}

/// Reports an error and gives the exit code.
pub fn code(result: anyhow::Result<Exit>) -> ExitCode {
    match result {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::Failed) => ExitCode::from(1),
        Ok(Exit::Interrupted) => ExitCode::from(130),
        // The reader has seen enough (`maobi … | head`): that is no failure.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&sentence(&error));
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    has_kind(error, ErrorKind::BrokenPipe)
}

fn has_kind(error: &anyhow::Error, kind: ErrorKind) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == kind))
}

/// The causes in one line. Wrapping errors repeat what they wrap, so a cause that is in the text already is left out.
fn sentence(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    if has_kind(error, ErrorKind::FileTooLarge) {
        text.push_str("; the system limits the size of files here (ulimit -f)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn causes_are_told_once() {
        let cause = std::io::Error::other("disk full");
        let error = Err::<(), _>(cause).context("x.keras: cannot write: disk full").unwrap_err();
        assert_eq!(sentence(&error), "x.keras: cannot write: disk full");
        assert_eq!(sentence(&error.context("saving")), "saving: x.keras: cannot write: disk full");
    }

    #[test]
    fn a_broken_pipe_is_found_below_others() {
        let error = anyhow::Error::from(std::io::Error::from(ErrorKind::BrokenPipe)).context("writing");
        assert!(is_broken_pipe(&error));
        assert!(!is_broken_pipe(&anyhow::anyhow!("x")));
    }
}
