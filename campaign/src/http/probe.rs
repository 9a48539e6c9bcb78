//! Asks every 100 ms whether the server lives.

use super::wire;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_millis(100);
/// Within this time the server must answer …
const WITHIN: Duration = Duration::from_secs(1);
/// … and on a machine that other programs keep busy, only the median must; no answer may take longer than this.
const NEVER: Duration = Duration::from_secs(10);

/// A thread that asks the server.
pub struct Probe {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Probed>,
    busy: bool,
}

/// The answers of the server.
#[derive(Debug, Default)]
pub struct Probed {
    times: Vec<Duration>,
    failed: Option<String>,
    busy: bool,
}

impl Probe {
    /// Starts asking.
    pub fn start(address: SocketAddr) -> Probe {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut probed = Probed::default();
            while !stopped.load(Ordering::Relaxed) {
                let began = Instant::now();
                match wire::get(address, "/v2/health/live", NEVER) {
                    Ok(answer) if answer.status == 200 => probed.times.push(began.elapsed()),
                    other => {
                        let what = other.map_or_else(|error| error.to_string(), |answer| format!("status {}", answer.status));
                        probed.failed.get_or_insert(format!("{what} after {:.1} s", began.elapsed().as_secs_f64()));
                    }
                }
                std::thread::sleep(EVERY.saturating_sub(began.elapsed()));
            }
            probed
        });
        Probe { stop, thread, busy: busy() }
    }

    /// Stops asking.
    pub fn end(self) -> Probed {
        self.stop.store(true, Ordering::Relaxed);
        let mut probed = self.thread.join().unwrap_or_default();
        probed.busy = self.busy;
        probed
    }
}

/// Whether other programs keep more than half of this machine busy.
fn busy() -> bool {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: f64 = load.split_whitespace().next().and_then(|one| one.parse().ok()).unwrap_or(0.0);
    load > std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64) / 2.0
}

impl Probed {
    /// The slowest answer.
    pub fn slowest(&self) -> Duration {
        self.times.iter().max().copied().unwrap_or_default()
    }

    /// What is wrong with the answers.
    pub fn wrong(&self) -> Option<String> {
        let mut times = self.times.clone();
        times.sort();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        let judged = if self.busy { median } else { self.slowest() };
        let slow = || {
            let which = if self.busy { "half of all answers" } else { "an answer" };
            (judged > WITHIN).then(|| format!("/v2/health/live: {which} took {:.1} s or more", judged.as_secs_f64()))
        };
        self.failed.as_ref().map(|failed| format!("/v2/health/live: {failed}")).or_else(slow)
    }
}
