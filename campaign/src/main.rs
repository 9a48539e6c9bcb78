//! Tries to break maobi, and says how often it tried: kills at random moments, odd environments, damaged files.
//!
//! `campaign all --minutes 10` runs every kind, `campaign short` a little of each, `campaign KIND` one kind for as long as one likes.
//! Each trial is a function of its id. A failure prints the command that repeats exactly that trial.

mod binary;
mod context;
mod environment;
mod files;
mod http;
mod kills;
mod kind;
mod place;
mod process;
mod report;
mod seeded;
mod soak;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use context::{Context, Limits};
use kind::Kind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Every kind, in the order in which `all` runs them.
const KINDS: &[Kind] = &[kills::KIND, environment::KIND, files::KIND, http::KIND, soak::KIND];

/// Tries to break maobi.
#[derive(Parser)]
#[command(name = "campaign", after_help = kinds_help())]
struct Arguments {
    /// `all`, `short` or the name of one kind.
    what: String,
    /// Run for that many minutes; `all` divides them among the kinds.
    #[arg(long)]
    minutes: Option<f64>,
    /// Run that many trials of the kind (kills for `kills`, files for `files`).
    #[arg(long, visible_aliases = ["kills", "files", "requests"])]
    trials: Option<u64>,
    /// The seed of the whole campaign.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Repeat one trial, by the id that its failure printed.
    #[arg(long)]
    only: Option<String>,
    /// How many trials run at once; as many as there are cores by default.
    #[arg(long)]
    jobs: Option<usize>,
    /// The program to test; without it, it is built from this repository.
    #[arg(long)]
    maobi: Option<PathBuf>,
    /// Where files of failed trials are kept, in a folder for each kind, which is emptied first; a new temporary folder by default.
    #[arg(long)]
    scratch: Option<PathBuf>,
    /// Write the summary as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn kinds_help() -> String {
    let lines: Vec<String> = KINDS.iter().map(|kind| format!("  {:12} {}", kind.name, kind.about)).collect();
    format!("Kinds:\n{}", lines.join("\n"))
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "worker") {
        return ended(files::worker::Job::parse(&arguments[1..]).and_then(|job| files::worker::run(&job)).map(|()| true));
    }
    ended(run(Arguments::parse()))
}

fn ended(result: Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what was asked for; whether nothing failed.
fn run(arguments: Arguments) -> Result<bool> {
    let chosen: Vec<&Kind> = match arguments.what.as_str() {
        "all" | "short" => KINDS.iter().collect(),
        name => {
            vec![KINDS.iter().find(|kind| kind.name == name).with_context(|| format!("there is no kind {name}; see --help"))?]
        }
    };
    if chosen.len() > 1 && (arguments.only.is_some() || arguments.trials.is_some()) {
        bail!("--only and --trials belong to one kind: campaign KIND …");
    }
    let maobi = match arguments.maobi {
        Some(path) => path.canonicalize().with_context(|| format!("--maobi {}", path.display()))?,
        None => binary::build()?,
    };
    let scratch = match arguments.scratch {
        Some(path) => {
            std::fs::create_dir_all(&path)?;
            path.canonicalize()?
        }
        None => tempfile::Builder::new().prefix("maobi-campaign-").tempdir()?.keep(),
    };
    let jobs = arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1);
    let mut reports = Vec::new();
    for kind in &chosen {
        let limits = match arguments.what.as_str() {
            "short" => Limits { time: Some(Duration::from_secs(kind.short.seconds)), trials: Some(kind.short.trials) },
            "all" => {
                let minutes = arguments.minutes.unwrap_or(10.0) * f64::from(kind.share) / 100.0;
                Limits { time: Some(Duration::from_secs_f64(minutes * 60.0)), trials: None }
            }
            _ => Limits { time: arguments.minutes.map(|m| Duration::from_secs_f64(m * 60.0)), trials: arguments.trials },
        };
        eprintln!("==> {}: {}", kind.name, kind.about);
        let folder = scratch.join(kind.name);
        // What an earlier campaign kept in the same folder would be taken for this one's.
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder)?;
        let context = Context {
            kind: kind.name,
            seed: arguments.seed,
            limits,
            only: arguments.only.clone(),
            maobi: maobi.clone(),
            jobs,
            scratch: folder,
            started: Instant::now(),
        };
        let mut report = (kind.run)(&context).with_context(|| kind.name)?;
        report.seconds = context.elapsed().as_secs_f64();
        reports.push(report);
    }
    print!("{}", report::table(&reports));
    if let Some(path) = arguments.json {
        std::fs::write(&path, report::json(&reports, arguments.seed)).with_context(|| format!("--json {}", path.display()))?;
    }
    let sound = reports.iter().all(|report| report.failures.is_empty());
    if sound {
        let _ = std::fs::remove_dir_all(&scratch);
    } else {
        println!("what failed is kept in {}", scratch.display());
    }
    Ok(sound)
}
