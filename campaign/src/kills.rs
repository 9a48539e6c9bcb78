//! The kind `kills`.

use crate::context::Context;
use crate::report::Report;
use crate::{Kind, Short};
use anyhow::Result;

/// The kind.
pub const KIND: Kind = Kind { name: "kills", about: "TODO", share: 20, short: Short { trials: 10, seconds: 20 }, run };

fn run(context: &Context) -> Result<Report> {
    let mut report = context.report();
    for _seed in context.seeds(10) {
        report.pass("nothing yet");
    }
    Ok(report)
}
