//! What every kind of trial answers.

use crate::context::Context;
use crate::report::Report;
use anyhow::Result;

/// A kind of trial.
pub struct Kind {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it tries, in one line for `--help` and the table.
    pub about: &'static str,
    /// Its share of the time that `all` is given, in percent.
    pub share: u32,
    /// What `short` runs of it.
    pub short: Short,
    /// Runs trials until the limits of the context are reached. An error means that the campaign itself could not work.
    pub run: fn(&Context) -> Result<Report>,
}

/// The part of a kind that belongs to `campaign short`.
pub struct Short {
    /// At most that many trials.
    pub trials: u64,
    /// At most that many seconds.
    pub seconds: u64,
}
