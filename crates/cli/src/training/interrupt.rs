//! Ctrl-C: the first ends training in good order after the current step, the second ends the process.

use anyhow::Context as _;
use maobi_train::Result;
use maobi_train::callbacks::{Action, BatchLogs, Callback, Context};
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);
/// The system takes one handler a process; an ensemble has many runs.
static LISTENING: AtomicBool = AtomicBool::new(false);

/// Exit code of a process that Ctrl-C ended, as shells have it.
const INTERRUPTED: i32 = 130;

/// Whether the user has asked to stop.
pub fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// Listens to Ctrl-C (and to SIGTERM and SIGHUP) from here on; again and again is once.
pub fn listen() -> anyhow::Result<()> {
    if LISTENING.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
        crate::output::Console::default().say("stopping after this step, to save; press Ctrl-C again to stop at once");
    })
    .context("Ctrl-C cannot be listened to")?;
    Ok(())
}

/// Stops training when asked to.
pub struct Interrupt;

impl Callback for Interrupt {
    fn name(&self) -> &'static str {
        "Interrupt"
    }

    fn on_batch_end(&mut self, _: &mut Context<'_>, logs: &BatchLogs) -> Result<Action> {
        // A loss that is NaN is an error, asked or not.
        Ok(if asked() && logs.loss.is_finite() { Action::Stop } else { Action::Continue })
    }
}
