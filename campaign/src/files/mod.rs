//! Damaged files of every format: none may panic, hang, end the process, take more than 1 GB or more than 10 s.

mod mutate;
mod pictures;
mod readers;
mod seeds;
pub mod worker;

use crate::context::Context;
use crate::kind::{Kind, Short};
use crate::report::{Failure, Report};
use anyhow::{Context as _, Result};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use worker::Job;

/// The kind.
pub const KIND: Kind = Kind {
    name: "files",
    about: "damaged model files, data, recipes and pictures: an error or something sound, within 10 s and 1 GB",
    share: 25,
    short: Short { trials: 20_000, seconds: 10 },
    run,
};

/// Files when neither time nor number is given.
const DEFAULT: u64 = 200_000;
/// Files that one worker opens at most.
const BATCH: u64 = 2000;
/// Longest that one file may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How long a worker may take to start.
const START: Duration = Duration::from_secs(60);

struct Shared<'a> {
    context: &'a Context,
    report: Mutex<Report>,
    /// The next trial, opened files, refused ones, the most memory in KiB.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    opened: u64,
    refused: u64,
    peak: u64,
}

fn run(context: &Context) -> Result<Report> {
    seeds::make(&context.scratch)?;
    let shared = Shared { context, report: Mutex::new(context.report()), state: Mutex::default() };
    if let Some(seed) = &context.only {
        let seed: u64 = seed.parse().context("--only takes the number that a failure printed")?;
        batch(&shared, 0, [seed.to_string(), "0".into(), "0".into()])?;
    } else {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..context.jobs)
                .map(|n| {
                    scope.spawn({
                        let shared = &shared;
                        move || batches(shared, n)
                    })
                })
                .collect();
            workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked"))))
        })?;
    }
    if memory_folder(context) != context.scratch {
        let _ = std::fs::remove_dir_all(memory_folder(context));
    }
    let state = shared.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut report = shared.report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.figure("files that opened", state.opened as f64);
    report.figure("files that were refused", state.refused as f64);
    report.figure("MB of memory of a worker at most", state.peak as f64 / 1024.0);
    report.figure("files a second", (state.opened + state.refused) as f64 / context.elapsed().as_secs_f64());
    Ok(report)
}

/// Starts workers until the limits are reached.
fn batches(shared: &Shared, number: usize) -> Result<()> {
    let context = shared.context;
    loop {
        let (first, last) = {
            let mut state = lock(&shared.state);
            if context.over(state.next, DEFAULT) {
                return Ok(());
            }
            let most = context.limits.trials.map_or(u64::MAX, |trials| trials - state.next);
            let first = state.next;
            state.next += BATCH.min(most);
            (first, state.next)
        };
        let mut first = first;
        // A worker that died is followed by one for the rest of its trials.
        while first < last {
            first += batch(shared, number, [context.seed.to_string(), first.to_string(), last.to_string()])?.max(1);
            if context.limits.time.is_some_and(|time| context.elapsed() >= time) {
                return Ok(());
            }
        }
    }
}

/// Runs one worker; how many trials it began.
fn batch(shared: &Shared, number: usize, which: [String; 3]) -> Result<u64> {
    let context = shared.context;
    let place = memory_folder(context).join(format!("worker-{number}"));
    let arguments = Job::arguments(&context.scratch, &place, &context.maobi, which);
    // This very program, even when another one was built in its place meanwhile.
    let own = Path::new("/proc/self/exe");
    let program = if own.exists() { own.to_path_buf() } else { std::env::current_exe()? };
    let mut child = Command::new(program)
        .args(arguments)
        // Arenas of memory for each thread would count as memory of the file.
        .env("MALLOC_ARENA_MAX", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let errors = child.stderr.take().map(|mut pipe| {
        std::thread::spawn(move || {
            let mut text = String::new();
            let _ = pipe.read_to_string(&mut text);
            text
        })
    });
    let lines = lines_of(&mut child)?;
    let mut begun = 0;
    let mut current: Option<(u64, String)> = None;
    let mut whole = false;
    loop {
        let late = match lines.recv_timeout(if begun == 0 { START } else { LIMIT }) {
            Ok(line) => {
                if let Some(kib) = line.strip_prefix("peak ") {
                    let mut state = lock(&shared.state);
                    state.peak = state.peak.max(kib.parse().unwrap_or(0));
                    whole = true;
                } else {
                    take(shared, &line, &mut current, &mut begun);
                }
                let over = context.only.is_none() && context.limits.time.is_some_and(|time| context.elapsed() >= time);
                if over && current.is_none() {
                    // The time is over, and no file is open.
                    child.kill()?;
                    child.wait()?;
                    return Ok(begun);
                }
                continue;
            }
            Err(RecvTimeoutError::Timeout) => true,
            Err(RecvTimeoutError::Disconnected) => false,
        };
        if late {
            child.kill()?;
        }
        let status = child.wait()?;
        let errors = errors.and_then(|reader| reader.join().ok()).unwrap_or_default();
        let telling = |line: &&str| ["memory allocation", "overflowed", "panicked"].iter().any(|sign| line.contains(sign));
        let last = errors.lines().find(telling).or(errors.trim().lines().last()).unwrap_or_default().to_owned();
        match current.take() {
            Some((seed, kind)) => {
                let how = match (late, status.signal()) {
                    (true, _) => format!("took longer than {} s", LIMIT.as_secs()),
                    (false, Some(signal)) => format!("ended the process by signal {signal}: {last}"),
                    (false, None) => format!("ended the process with {status}: {last}"),
                };
                fail(shared, seed, &kind, how);
            }
            None if !whole => anyhow::bail!("a worker did not work: {status}: {errors}"),
            None => {}
        }
        return Ok(begun);
    }
}

/// Where damaged files are written: in memory where the system has such a folder, for a disk would be all that is measured.
fn memory_folder(context: &Context) -> PathBuf {
    let shared = Path::new("/dev/shm");
    match shared.is_dir() {
        true => shared.join(format!("maobi-campaign-{}", std::process::id())),
        false => context.scratch.clone(),
    }
}

fn lines_of(child: &mut Child) -> Result<mpsc::Receiver<String>> {
    let pipe = child.stdout.take().context("a worker has no stdout")?;
    let (send, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(|line| line.ok()) {
            if send.send(line).is_err() {
                break;
            }
        }
    });
    Ok(lines)
}

/// Takes in a line of a worker.
fn take(shared: &Shared, line: &str, current: &mut Option<(u64, String)>, begun: &mut u64) {
    if let Some(rest) = line.strip_prefix("begin ") {
        let (seed, kind) = rest.split_once(' ').unwrap_or((rest, "?"));
        *current = Some((seed.parse().unwrap_or(0), kind.to_owned()));
        *begun += 1;
        return;
    }
    let Some((seed, kind)) = current.take() else { return };
    if let Some(reason) = line.strip_prefix("wrong ") {
        fail(shared, seed, &kind, reason.to_owned());
        return;
    }
    lock(&shared.report).pass(&kind);
    let mut state = lock(&shared.state);
    if line == "opened" { state.opened += 1 } else { state.refused += 1 }
}

/// Notes a failure. Its file is made anew from its seed, for the worker may have gone on to the next.
fn fail(shared: &Shared, seed: u64, kind: &str, reason: String) {
    let context = shared.context;
    let kept = lock(&shared.report).is_new(kind, &reason).then(|| context.scratch.join(format!("failed/{seed}")));
    let kept: Option<PathBuf> = kept.filter(|folder| worker::keep(&context.scratch, folder, seed).is_ok());
    lock(&shared.report).fail(Failure { row: kind.to_owned(), reason, repeat: context.repeat(seed), kept });
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
