//! Runs programs with a time limit and keeps what they print.

use anyhow::{Context as _, Result};
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Whether the time limit ended it.
    pub late: bool,
    /// What it printed to stdout, at most a megabyte.
    pub out: String,
    /// What it printed to stderr, at most a megabyte.
    pub err: String,
    /// How long it ran.
    pub took: Duration,
}

/// Runs a program to its end, at most for `limit`; whatever it started in its own group is killed with it.
pub fn run(command: &mut Command, limit: Duration) -> Result<Ended> {
    let started = Instant::now();
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let child = command.spawn().with_context(|| format!("cannot start {:?}", command.get_program()))?;
    finish(child, started, limit)
}

/// Waits for the end of a child that leads its own process group.
pub fn finish(mut child: Child, started: Instant, limit: Duration) -> Result<Ended> {
    let out = child.stdout.take().map(collect);
    let err = child.stderr.take().map(collect);
    let (status, late) = wait(&mut child, limit.saturating_sub(started.elapsed()))?;
    let took = started.elapsed();
    let text = |reader: Option<JoinHandle<Vec<u8>>>| {
        reader.and_then(|reader| reader.join().ok()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    };
    Ok(Ended { code: status.code(), signal: status.signal(), late, out: text(out), err: text(err), took })
}

/// Waits for the end of a child, and kills its group when it takes longer than `limit`; whether it had to.
pub fn wait(child: &mut Child, limit: Duration) -> Result<(ExitStatus, bool)> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok((status, false));
        }
        if started.elapsed() > limit {
            kill_group(child);
            return Ok((child.wait()?, true));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

/// Sends SIGKILL to a child and its group.
pub fn kill_group(child: &mut Child) {
    if let Some(pid) = rustix::process::Pid::from_raw(child.id() as i32) {
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
}

/// Sends a signal to a child that has not been waited for.
pub fn signal(child: &Child, signal: rustix::process::Signal) -> Result<()> {
    let pid = rustix::process::Pid::from_raw(child.id() as i32).context("a child has no process id")?;
    rustix::process::kill_process(pid, signal)?;
    Ok(())
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = (&mut pipe).take(1 << 20).read_to_end(&mut bytes);
        let _ = std::io::copy(&mut pipe, &mut std::io::sink());
        bytes
    })
}

impl Ended {
    /// What is wrong with how a run of maobi ended, whatever it was asked to do: a signal, a panic, a code that is not documented,
    /// a failure without a word on stderr. `silent` allows the last, where stderr cannot be written.
    pub fn complaint(&self, silent: bool) -> Option<String> {
        if self.late {
            return Some(format!("ran longer than {:.0} s", self.took.as_secs_f64()));
        }
        for sign in ["panicked at", "stack backtrace", "RUST_BACKTRACE", "memory allocation of", "overflowed its stack"] {
            if let Some(line) = self.err.lines().chain(self.out.lines()).find(|line| line.contains(sign)) {
                return Some(format!("printed: {line}"));
            }
        }
        match (self.signal, self.code) {
            (Some(signal), _) => Some(format!("ended by signal {signal}")),
            (None, Some(0)) => None,
            (None, Some(1 | 2 | 130)) if silent || !self.err.trim().is_empty() => None,
            (None, Some(code @ (1 | 2 | 130))) => Some(format!("exit code {code} without a word on stderr")),
            (None, code) => Some(format!("exit code {code:?}, which is not documented")),
        }
    }
}
