//! Lines to stdout and stderr, around the progress bar where there is one.

use indicatif::MultiProgress;
use maobi_nn::text::{escaped, escaped_json};
use serde_json::Value;
use std::io::{self, Write};
use std::sync::OnceLock;

/// All progress bars, so that lines can be written around them.
pub fn multi() -> &'static MultiProgress {
    static BARS: OnceLock<MultiProgress> = OnceLock::new();
    BARS.get_or_init(MultiProgress::new)
}

/// Who listens.
///
/// Every text is one line: control characters in it, line ends too, come from the names of files, classes or layers and are escaped.
#[derive(Clone, Copy, Debug, Default)]
pub struct Console {
    /// Results as one JSON object a line.
    pub json: bool,
    /// No progress and no remarks; results, warnings and errors only.
    pub quiet: bool,
}

impl Console {
    /// A remark on stderr.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            to_stderr(text);
        }
    }

    /// A warning on stderr, quiet or not.
    pub fn warn(&self, text: &str) {
        to_stderr(&format!("warning: {text}"));
    }

    /// A line of the result on stdout, unless results are JSON.
    pub fn result(&self, text: &str) -> io::Result<()> {
        if self.json { Ok(()) } else { to_stdout(text) }
    }

    /// An object of the result on stdout, if results are JSON.
    pub fn event(&self, value: &Value) -> io::Result<()> {
        if self.json { raw(format!("{}\n", escaped_json(&value.to_string())).as_bytes()) } else { Ok(()) }
    }
}

/// An error on stderr.
pub fn error(text: &str) {
    to_stderr(&format!("error: {text}"));
}

/// Bytes on stdout as they are, such as a script or a table, at once.
pub fn raw(bytes: &[u8]) -> io::Result<()> {
    multi().suspend(|| {
        let mut out = io::stdout().lock();
        // The system's own words do not say what could not be written.
        out.write_all(bytes).and_then(|()| out.flush()).map_err(|e| io::Error::new(e.kind(), format!("standard output: {e}")))
    })
}

fn to_stdout(text: &str) -> io::Result<()> {
    raw(format!("{}\n", escaped(text)).as_bytes())
}

fn to_stderr(text: &str) {
    // Nobody can be told that stderr is closed.
    multi().suspend(|| {
        let _ = writeln!(io::stderr().lock(), "{}", escaped(text));
    });
}
