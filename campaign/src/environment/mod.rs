//! Odd environments and odd paths: every command of the program, in each of them, ends within 10 s with a documented exit code and a
//! sentence, and harms nothing that was there.

mod commands;
mod odd;
mod surroundings;
mod work;
mod writers;

use crate::context::Context;
use crate::kind::{Kind, Short};
use crate::place;
use crate::process::{self, Ended};
use crate::report::{Failure, Report};
use crate::seeded::Random;
use anyhow::{Context as _, Result};
use commands::{COMMANDS, SLOTS};
use odd::ODD;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use surroundings::Surroundings;

/// The kind.
pub const KIND: Kind = Kind {
    name: "environment",
    about: "every command with closed streams, full disks, limits, odd folders, odd paths; a documented exit code and no harm",
    share: 10,
    short: Short { trials: 60, seconds: 10 },
    run,
};

/// Longest that a command may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How long a server is left alone before it is asked to stop.
const SERVING: Duration = Duration::from_millis(400);
/// How long those may take that compute or measure for long.
const LONG: Duration = Duration::from_secs(60);
/// What reads a device without end is to fail before the machine does.
const MEMORY: &str = "ulimit -v 4000000";
/// Ends a shell that cannot make its surroundings here.
const CANNOT: i32 = 77;

/// One command in one of the surroundings, or with one odd path, or two writers.
enum What {
    Surrounded(usize, usize),
    OddPath(usize, usize),
    Writers(usize),
}

struct Shared<'a> {
    context: &'a Context,
    surroundings: Vec<Surroundings>,
    trials: Vec<(String, What)>,
    report: Mutex<Report>,
    next: Mutex<usize>,
}

fn run(context: &Context) -> Result<Report> {
    let template = context.scratch.join("template");
    work::make(&context.maobi, &template)?;
    let surroundings = surroundings::all();
    let mut trials = trials(&surroundings);
    match &context.only {
        Some(id) => trials.retain(|(own, _)| own == id),
        None => shuffle(&mut trials, context.seed),
    }
    anyhow::ensure!(!trials.is_empty(), "--only: there is no such trial; ids look like evaluate@disk-full");
    let shared = Shared { context, surroundings, trials, report: Mutex::new(context.report()), next: Mutex::new(0) };
    lock(&shared.report).skip("clock set back: needs a library that takes the place of the system's clock");
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..context.jobs).map(|_| scope.spawn(|| work(&shared, &template))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked"))))
    })?;
    Ok(shared.report.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Every trial there is, with its id.
fn trials(surroundings: &[Surroundings]) -> Vec<(String, What)> {
    let mut trials = Vec::new();
    for (c, command) in COMMANDS.iter().enumerate() {
        for (s, around) in surroundings.iter().enumerate() {
            trials.push((format!("{}@{}", command.name, around.name), What::Surrounded(c, s)));
        }
    }
    for (s, slot) in SLOTS.iter().enumerate() {
        for (o, odd) in ODD.iter().enumerate().filter(|(_, odd)| !(slot.writes && odd.outside)) {
            trials.push((format!("{}={}", slot.name, odd.name), What::OddPath(s, o)));
        }
    }
    for n in 0..writers::PAIRS.len() {
        trials.push((format!("two-writers-{}", writers::PAIRS[n].0), What::Writers(n)));
    }
    trials
}

fn shuffle<T>(list: &mut [T], seed: u64) {
    let mut random = Random::new(seed);
    for last in (1..list.len()).rev() {
        list.swap(last, random.below(last + 1));
    }
}

fn work(shared: &Shared, template: &Path) -> Result<()> {
    loop {
        let number = {
            let mut next = lock(&shared.next);
            *next += 1;
            *next - 1
        };
        let Some((id, what)) = shared.trials.get(number) else { return Ok(()) };
        if shared.context.only.is_none() && shared.context.over(number as u64, u64::MAX) {
            return Ok(());
        }
        one(shared, template, id, what).with_context(|| id.clone())?;
    }
}

/// Runs one trial in a copy of the template.
fn one(shared: &Shared, template: &Path, id: &str, what: &What) -> Result<()> {
    let case = shared.context.scratch.join(format!("case-{}", id.replace(['@', '='], "-")));
    let _ = std::fs::remove_dir_all(&case);
    std::fs::create_dir_all(&case)?;
    let folder = case.join("work");
    copy(template, &folder)?;
    let (row, complaint) = match what {
        What::Surrounded(c, s) => {
            let around = &shared.surroundings[*s];
            (format!("surroundings: {}", around.name), surrounded(shared, &COMMANDS[*c], around, &case)?)
        }
        What::OddPath(s, o) => (format!("odd path: {}", ODD[*o].name), odd_path(shared, *s, *o, &folder)?),
        What::Writers(n) => {
            ("two writers on one folder".to_owned(), Verdict::of(writers::run(&shared.context.maobi, &folder, *n)?))
        }
    };
    let mut report = lock(&shared.report);
    match complaint {
        Verdict::Good => report.pass(&row),
        Verdict::Cannot(reason) => report.skip(reason),
        Verdict::Wrong(reason) => {
            let kept = Some(case.clone());
            report.fail(Failure {
                row,
                reason: format!("{id}: {reason}"),
                repeat: shared.context.repeat(format!("'{id}'")),
                kept,
            });
            return Ok(());
        }
    }
    drop(report);
    std::fs::remove_dir_all(&case)?;
    Ok(())
}

/// What came of a trial.
enum Verdict {
    Good,
    Cannot(String),
    Wrong(String),
}

impl Verdict {
    fn of(complaint: Option<String>) -> Verdict {
        complaint.map_or(Verdict::Good, Verdict::Wrong)
    }
}

fn surrounded(shared: &Shared, command: &commands::Command, around: &Surroundings, case: &Path) -> Result<Verdict> {
    let folder = case.join("work");
    let before = work::kept(&folder, command.changes)?;
    let after = case.join("after");
    let script = match around.after {
        "" => format!("{}\nexec \"$@\"", around.before),
        after => format!("{}\n\"$@\"\n{after}", around.before),
    };
    let mut words: Vec<OsString> = around.starter.iter().map(OsString::from).collect();
    let script = format!("{MEMORY}\n{script}");
    words.extend(["sh", "-c", script.as_str(), "sh"].map(OsString::from));
    words.push(shared.context.maobi.clone().into());
    words.extend(command.arguments.iter().map(OsString::from));
    let mut shell = Command::new(&words[0]);
    place::isolate(&mut shell, &folder, &folder.join("data"));
    shell.args(&words[1..]).env("OUT", &after).envs(around.variables.iter().copied());
    // Without its data set a run draws its own digits, which takes a while.
    let long = matches!(command.name, "self-test" | "bench" | "finetune") || around.name.starts_with("data-");
    let limit = if long { LONG } else { LIMIT };
    let ended = run_one(&mut shell, (command.name == "serve").then_some(shared.context.maobi.as_path()), around.unread, limit)?;
    if ended.code == Some(CANNOT) || (!around.starter.is_empty() && ended.err.starts_with("unshare:")) {
        return Ok(Verdict::Cannot(format!("{}: cannot be made here (needs root and namespaces)", around.name)));
    }
    let out_of_memory =
        around.cramped && ended.signal == Some(Signal::ABORT.as_raw()) && ended.err.contains("memory allocation of");
    let allowed = out_of_memory || ended.signal.is_some_and(|signal| around.signals.contains(&signal));
    if let Some(complaint) = ended.complaint(around.silent).filter(|_| !allowed) {
        return Ok(Verdict::Wrong(complaint));
    }
    if around.ordinary && ended.code != Some(0) && command.name != "data-download" {
        return Ok(Verdict::Wrong(format!("exit code {:?}: {}", ended.code, ended.err.trim())));
    }
    if let Some(harm) = work::harm(&before, &folder, allowed)? {
        return Ok(Verdict::Wrong(harm));
    }
    if after.is_dir()
        && let Some(harm) = work::harm(&before, &after, allowed)?
    {
        return Ok(Verdict::Wrong(harm));
    }
    Ok(Verdict::Good)
}

fn odd_path(shared: &Shared, slot: usize, odd: usize, folder: &Path) -> Result<Verdict> {
    let (slot, odd) = (&SLOTS[slot], &ODD[odd]);
    let path = match odd.make(folder) {
        Ok(path) => path,
        Err(error) => return Ok(Verdict::Cannot(format!("{error:#}"))),
    };
    let written = if slot.writes { path.to_string_lossy().into_owned() } else { "node".to_owned() };
    let mut before = work::kept(folder, &[written.as_str()])?;
    before.retain(|own, _| !(slot.writes && own.as_os_str() == path));
    let mut command = place::command(Path::new("sh"), folder, &folder.join("data"));
    command.args(["-c", &format!("{MEMORY}\nexec \"$@\""), "sh"]).arg(&shared.context.maobi);
    command.args(slot.arguments.iter().map(|word| if *word == "{}" { path.clone() } else { OsString::from(word) }));
    let maobi = (slot.arguments[0] == "serve").then_some(shared.context.maobi.as_path());
    let limit = if slot.arguments[0] == "finetune" { LONG } else { LIMIT };
    let ended = run_one(&mut command, maobi, false, limit)?;
    if let Some(complaint) = ended.complaint(false) {
        return Ok(Verdict::Wrong(complaint));
    }
    // A line of a terminal that clears the screen is no sentence.
    if ended.err.contains('\x1b') || ended.out.contains('\x1b') {
        return Ok(Verdict::Wrong("printed a control character of a name as it is".into()));
    }
    Ok(Verdict::of(work::harm(&before, folder, false)?))
}

/// Runs a command to its end; a server is asked to stop after a while.
fn run_one(command: &mut Command, serves: Option<&Path>, unread: bool, limit: Duration) -> Result<Ended> {
    use std::os::unix::process::CommandExt;
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).spawn()?;
    if unread {
        drop(child.stdout.take());
    }
    if let Some(maobi) = serves {
        // The shell in front may take a while. Then, until the server listens, SIGTERM ends it at once, as every process: it is asked
        // again until it has ended.
        while child.try_wait()?.is_none() && started.elapsed() < limit && program_of(&child, maobi).is_none() {
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(SERVING);
        while child.try_wait()?.is_none() && started.elapsed() < limit {
            if let Some(pid) = program_of(&child, maobi) {
                let _ = kill_process(pid, Signal::TERM);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    let mut ended = process::finish(child, started, limit)?;
    // It had not begun to listen: as good as its exit code. A shell that waited for it says 128 and the signal.
    if serves.is_some() && (ended.signal == Some(Signal::TERM.as_raw()) || ended.code == Some(128 + Signal::TERM.as_raw())) {
        (ended.signal, ended.code) = (None, Some(0));
    }
    Ok(ended)
}

/// The program itself, which may be a child of the shell that it was started by; `None` while there is only a shell.
fn program_of(child: &Child, maobi: &Path) -> Option<Pid> {
    let mut pid = child.id();
    while let Some(next) = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .ok()
        .and_then(|children| children.split_whitespace().next().and_then(|first| first.parse().ok()))
    {
        pid = next;
    }
    let running = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    Pid::from_raw(pid as i32).filter(|_| running == maobi)
}

/// Copies a folder.
fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target: PathBuf = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?
        } else {
            let _ = std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
