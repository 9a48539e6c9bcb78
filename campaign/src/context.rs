//! What every kind is given: its limits, the program to test, a folder of its own.

use crate::report::Report;
use crate::seeded;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// When a kind has done enough. Without either limit it does its default number of trials.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// For that long; a trial that has begun is finished.
    pub time: Option<Duration>,
    /// That many trials.
    pub trials: Option<u64>,
}

/// What a kind works with.
pub struct Context {
    /// The kind's name.
    pub kind: &'static str,
    /// The seed of the whole campaign.
    pub seed: u64,
    /// When to stop.
    pub limits: Limits,
    /// The id of the one trial to repeat.
    pub only: Option<String>,
    /// The program to test, an absolute path.
    pub maobi: PathBuf,
    /// How many trials may run at once.
    pub jobs: usize,
    /// A folder for this kind alone. What a failed trial leaves in it is kept.
    pub scratch: PathBuf,
    /// When the kind began.
    pub started: Instant,
}

impl Context {
    /// An empty report of this kind.
    pub fn report(&self) -> Report {
        Report::new(self.kind)
    }

    /// Time since the kind began.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Whether `done` trials are enough; `default` is how many there are without any limit.
    pub fn over(&self, done: u64, default: u64) -> bool {
        let trials = self.limits.trials.unwrap_or(if self.limits.time.is_some() { u64::MAX } else { default });
        done >= trials || self.limits.time.is_some_and(|time| self.elapsed() >= time)
    }

    /// Seeds of trials, one after another, until the limits are reached; the one of `--only` where that is given.
    pub fn seeds(&self, default: u64) -> impl Iterator<Item = u64> + '_ {
        let only = self.only.as_ref().map(|id| id.parse().unwrap_or_else(|_| seeded::of_text(id)));
        let mut done = 0;
        std::iter::from_fn(move || {
            if let Some(seed) = only {
                done += 1;
                return (done == 1).then_some(seed);
            }
            if self.over(done, default) {
                return None;
            }
            done += 1;
            Some(seeded::trial(self.seed, self.kind, done - 1))
        })
    }

    /// The command that repeats a trial.
    pub fn repeat(&self, id: impl std::fmt::Display) -> String {
        format!("cargo run --release --manifest-path campaign/Cargo.toml -- {} --only {id}", self.kind)
    }
}
