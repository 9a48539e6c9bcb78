//! How long work tells that it goes on: the binary draws a bar, tests and libraries stay silent.

/// Told about a download or the reading of many pictures. Every hook does nothing unless overridden.
pub trait Progress: Sync {
    /// Work on `what` starts: `done` of `total` units (bytes, pictures) are there already; `None` when nobody knows how many there are.
    fn start(&self, what: &str, total: Option<u64>, done: u64) {
        let _ = (what, total, done);
    }

    /// `units` more are done.
    fn advance(&self, units: u64) {
        let _ = units;
    }

    /// The work that was started is over, well or not.
    fn finish(&self) {}

    /// A line for the user.
    fn message(&self, text: &str) {
        let _ = text;
    }
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {}
