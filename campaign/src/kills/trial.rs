//! One trial: a run that is killed several times, resumed each time, and compared with a run that was left alone.

use super::folder::{self, Tree};
use super::recipes::Case;
use crate::place;
use crate::process::{self, Ended};
use crate::seeded::Random;
use anyhow::{Context as _, Result};
use rustix::process::Signal;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest that one process may run.
const LIMIT: Duration = Duration::from_secs(60);
/// Most interruptions of one trial.
const INTERRUPTIONS: usize = 5;

/// What a run that was left alone came to.
#[derive(Debug)]
pub struct Reference {
    /// Its files.
    pub tree: Tree,
    /// How long it took.
    pub took: Duration,
}

/// A moment at which a run is stopped, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Moment {
    /// After this share of the reference's time.
    Anywhere(f64),
    /// So soon that it has hardly begun.
    Start(Duration),
    /// While a file is being written.
    Save,
    /// After the last epoch or step, before the end.
    End(Duration),
}

/// The folder, program and recipe of a trial.
pub struct Trial<'a> {
    /// The program.
    pub maobi: &'a Path,
    /// The folder to work in: `data`, and a folder for this trial.
    pub place: PathBuf,
    /// Where `mnist/` is.
    pub data: PathBuf,
    /// What is run.
    pub case: &'a Case,
}

/// How a trial ended.
#[derive(Debug)]
pub struct Outcome {
    /// How often the run was killed or interrupted.
    pub stopped: u64,
    /// What went wrong.
    pub wrong: Option<String>,
}

impl Trial<'_> {
    fn command(&self, resume: bool, threads: usize) -> Command {
        let mut command = place::command(self.maobi, &self.place, &self.data);
        let threads = threads.to_string();
        match resume {
            true => command.args(["train", "--resume", "--out", "run", "--threads", &threads, "--json"]),
            false => command.args(["train", "recipe.toml", "--limit", "640", "--out", "run", "--threads", &threads, "--json"]),
        };
        command
    }

    fn run_folder(&self) -> PathBuf {
        self.place.join("run")
    }

    fn prepare(&self) -> Result<()> {
        std::fs::create_dir_all(&self.place)?;
        std::fs::write(self.place.join("recipe.toml"), &self.case.toml)?;
        Ok(())
    }

    /// The run without interruption: `Err` with the sentence of a recipe that is refused before training.
    pub fn reference(&self) -> Result<std::result::Result<Reference, String>> {
        self.prepare()?;
        let ended = process::run(&mut self.command(false, 1), LIMIT)?;
        if let (Some(1), None) = (ended.code, ended.complaint(false))
            && !ended.out.contains("\"event\"")
        {
            return Ok(Err(ended.err.trim().to_owned()));
        }
        if ended.code != Some(0) {
            anyhow::bail!("the run without interruption failed: {}{}", last_line(&ended), in_what(&ended));
        }
        let tree = folder::tree(&self.run_folder())?;
        if let Some(left) = folder::leftover(&tree) {
            anyhow::bail!("the run without interruption left {left}");
        }
        Ok(Ok(Reference { tree, took: ended.took }))
    }

    /// Kills, resumes and compares, as `seed` says.
    pub fn run(&self, reference: &Reference, seed: u64) -> Result<Outcome> {
        let mut random = Random::new(seed);
        self.prepare()?;
        let times = 1 + random.below(INTERRUPTIONS);
        let mut stopped = 0;
        let wrong = |stopped, text: String| Ok(Outcome { stopped, wrong: Some(text) });
        for _ in 0..times {
            let moment = match random.below(10) {
                0 => Moment::Start(Duration::from_micros(random.below(30_000) as u64)),
                1..=3 => Moment::Save,
                4 => Moment::End(Duration::from_micros(random.below(60_000) as u64)),
                _ => Moment::Anywhere(random.share()),
            };
            let signal = *random.pick(&[Signal::KILL, Signal::KILL, Signal::KILL, Signal::INT, Signal::TERM]);
            let threads = 1 + random.below(2);
            let resume = self.run_folder().join("config.toml").is_file();
            let mut command = self.command(resume, threads);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let started = Instant::now();
            let mut child = command.spawn().with_context(|| self.maobi.display().to_string())?;
            let printed = self.await_moment(&mut child, moment, reference.took)?;
            let sent = child.try_wait()?.is_none();
            if sent {
                process::signal(&child, signal)?;
            }
            let ended = process::finish(child, started, LIMIT)?;
            if let Some(complaint) = complaint(&ended, sent.then_some(signal), printed) {
                return wrong(stopped, format!("{moment:?}, {signal:?}: {complaint}{}", in_what(&ended)));
            }
            stopped += u64::from(sent);
            if random.one_in(3)
                && let Some(error) = folder::unreadable(&self.run_folder(), &self.case.toml)?
            {
                return wrong(stopped, format!("after {moment:?}, {signal:?}: a file is half-written: {error}"));
            }
        }
        // The last time it comes to its end; a run that was never begun begins, one that ended already says so.
        let resume = self.run_folder().join("config.toml").is_file();
        let ended = process::run(&mut self.command(resume, 1), LIMIT)?;
        if let Some(complaint) = ended.complaint(false) {
            return wrong(stopped, format!("the last resume: {complaint}{}", in_what(&ended)));
        }
        if ended.code != Some(0) {
            return wrong(stopped, format!("the last resume failed: {}", last_line(&ended)));
        }
        let tree = folder::tree(&self.run_folder())?;
        let left = folder::leftover(&tree).map(|left| format!("{left} was left behind"));
        let faults: Vec<String> = folder::difference(&reference.tree, &tree).into_iter().chain(left).collect();
        let wrong = (!faults.is_empty()).then(|| format!("after {stopped} interruptions {}", faults.join("; ")));
        Ok(Outcome { stopped, wrong })
    }

    /// Waits for the moment, or for the end of the run; whether training had begun by then.
    fn await_moment(&self, child: &mut Child, moment: Moment, took: Duration) -> Result<bool> {
        match moment {
            Moment::Start(pause) => std::thread::sleep(pause),
            Moment::Anywhere(share) => std::thread::sleep(took.mul_f64(share)),
            Moment::Save => {
                let begun = Instant::now();
                while child.try_wait()?.is_none() && begun.elapsed() < took * 2 {
                    let saving = |path: &PathBuf| path.extension().is_some_and(|e| e == "tmp");
                    if folder::files(&self.run_folder()).is_ok_and(|files| files.iter().any(saving)) {
                        break;
                    }
                }
            }
            Moment::End(pause) => {
                let last = if self.case.by_steps { "\"step\":60," } else { "\"epoch\":5," };
                let mut lines = BufReader::new(child.stdout.take().context("no stdout")?);
                let mut line = String::new();
                while lines.read_line(&mut line)? > 0 && !line.contains(last) {
                    line.clear();
                }
                child.stdout = Some(lines.into_inner());
                std::thread::sleep(pause);
            }
        }
        Ok(self.run_folder().join("config.toml").is_file())
    }
}

/// What is wrong with how an interrupted process ended. Before training begins a signal may end it at once.
fn complaint(ended: &Ended, sent: Option<Signal>, begun: bool) -> Option<String> {
    match (sent, ended.signal, ended.code) {
        (Some(Signal::KILL), Some(9), _) if !ended.late => None,
        (Some(signal), Some(number), _) if signal.as_raw() == number && !begun => None,
        // Listening begins shortly after config.toml is there: until the first figures are out, the process may still end at once.
        (Some(signal), Some(number), _) if signal.as_raw() == number && !ended.out.contains("\"event\"") => None,
        _ => match ended.complaint(false) {
            None if ended.code == Some(0) || (sent.is_some() && ended.code == Some(130)) => None,
            None => Some(format!("exit code {:?}: {}", ended.code, last_line(ended))),
            some => some,
        },
    }
}

fn last_line(ended: &Ended) -> &str {
    ended.err.trim().lines().last().unwrap_or_default()
}

fn in_what(ended: &Ended) -> String {
    let tail: Vec<&str> = ended.err.trim().lines().rev().take(3).collect();
    format!(" [stderr: {}]", tail.into_iter().rev().collect::<Vec<_>>().join(" / "))
}
