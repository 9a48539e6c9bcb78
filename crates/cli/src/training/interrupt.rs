//! Ctrl-C: the first ends training in good order after the current step, the second ends the process.

use anyhow::Context as _;
use maobi_train::Result;
use maobi_train::callbacks::{Action, BatchLogs, Callback, Context};
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);
/// The system takes one handler a process; an ensemble has many runs.
static LISTENING: AtomicBool = AtomicBool::new(false);

/// Whether nothing would be lost if the process ended now.
static AT_ONCE: AtomicBool = AtomicBool::new(false);

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
        if AT_ONCE.load(Ordering::Relaxed) || ASKED.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
        crate::output::Console::default().say("stopping after this step, to save; press Ctrl-C again to stop at once");
    })
    .context("Ctrl-C cannot be listened to")?;
    Ok(())
}

/// Runs `work`, which has nothing to save: the first Ctrl-C (or SIGTERM or SIGHUP) meanwhile ends the process, with the exit code of an
/// interruption.
pub fn ends_at_once<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    AT_ONCE.store(true, Ordering::Relaxed);
    listen()?;
    let result = work();
    AT_ONCE.store(false, Ordering::Relaxed);
    result
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
