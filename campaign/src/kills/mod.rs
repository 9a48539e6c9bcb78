//! Kills at random moments: whatever was interrupted, however often, ends with the bytes of a run that was left alone.

pub mod folder;
mod recipes;
mod trial;

use crate::context::Context;
use crate::kind::{Kind, Short};
use crate::place;
use crate::report::{Failure, Report};
use crate::seeded;
use anyhow::Result;
use recipes::Case;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use trial::{Reference, Trial};

/// The kind.
pub const KIND: Kind = Kind {
    name: "kills",
    about: "SIGKILL, Ctrl-C and SIGTERM at random moments of training; every trial must end with the same bytes",
    share: 30,
    short: Short { trials: 40, seconds: 15 },
    run,
};

/// Interruptions when neither time nor number is given.
const DEFAULT: u64 = 500;

/// Runs without interruption, by the name of their case; `None` for a recipe that is refused.
type References = Mutex<HashMap<String, Arc<Option<Reference>>>>;

/// What the workers share.
struct Shared<'a> {
    context: &'a Context,
    cases: Vec<Case>,
    references: References,
    report: Mutex<Report>,
    /// Trials begun, interruptions so far.
    counts: Mutex<(u64, u64)>,
}

fn run(context: &Context) -> Result<Report> {
    place::write_data(&context.scratch)?;
    let shared = Shared {
        context,
        cases: recipes::all(),
        references: Mutex::default(),
        report: Mutex::new(context.report()),
        counts: Mutex::default(),
    };
    let results: Vec<Result<()>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..context.jobs).map(|_| scope.spawn(|| work(&shared))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a worker panicked")))).collect()
    });
    results.into_iter().collect::<Result<()>>()?;
    let (trials, stopped) = *lock(&shared.counts);
    let mut report = shared.report.into_inner().unwrap_or_else(PoisonError::into_inner);
    report.figure("runs", trials as f64);
    report.figure("interruptions", stopped as f64);
    Ok(report)
}

fn work(shared: &Shared) -> Result<()> {
    let context = shared.context;
    loop {
        let seed = {
            let mut counts = lock(&shared.counts);
            let over = match &context.only {
                Some(_) => counts.0 > 0,
                None => context.over(counts.1, DEFAULT),
            };
            if over {
                return Ok(());
            }
            counts.0 += 1;
            context.only.as_ref().map_or_else(|| Ok(seeded::trial(context.seed, context.kind, counts.0)), |only| only.parse())?
        };
        let case = &shared.cases[(seed % shared.cases.len() as u64) as usize];
        let stopped = one(shared, case, seed)?;
        // A trial that could not even begin counts too, so that a program that always fails does not run for ever.
        lock(&shared.counts).1 += stopped.max(1);
    }
}

/// Runs one trial; how often it was interrupted.
fn one(shared: &Shared, case: &Case, seed: u64) -> Result<u64> {
    let context = shared.context;
    let parts: Vec<&str> = case.name.split('/').collect();
    let row = format!("{}, checkpoints: {}", parts[0], parts[2]);
    let fail = |place: &std::path::Path, reason: String| {
        let failure = Failure {
            row: row.clone(),
            reason: format!("{}: {reason}", case.name),
            repeat: context.repeat(seed),
            kept: Some(place.to_path_buf()),
        };
        lock(&shared.report).fail(failure);
    };
    let trial = |folder: String| Trial {
        maobi: &context.maobi,
        place: context.scratch.join(folder),
        data: context.scratch.join("data"),
        case,
    };
    let reference = match reference(shared, case, &trial(format!("reference-{}-{seed}", case.name.replace('/', "-"))))? {
        Ok(reference) => reference,
        Err((place, reason)) => {
            fail(&place, reason);
            return Ok(0);
        }
    };
    let Some(reference) = reference.as_ref() else { return Ok(0) };
    let trial = trial(format!("trial-{seed}"));
    let _ = std::fs::remove_dir_all(&trial.place);
    let outcome = trial.run(reference, seed)?;
    match outcome.wrong {
        Some(reason) => fail(&trial.place, reason),
        None => {
            lock(&shared.report).pass(&row);
            std::fs::remove_dir_all(&trial.place)?;
        }
    }
    Ok(outcome.stopped)
}

/// The reference of a case. Two workers may make it at the same time, each in a folder of its own. The inner error is the place of a run
/// that failed without interruption, and why.
#[allow(clippy::type_complexity)] // one caller
fn reference(
    shared: &Shared,
    case: &Case,
    trial: &Trial,
) -> Result<std::result::Result<Arc<Option<Reference>>, (std::path::PathBuf, String)>> {
    if let Some(reference) = lock(&shared.references).get(&case.name) {
        return Ok(Ok(Arc::clone(reference)));
    }
    let _ = std::fs::remove_dir_all(&trial.place);
    let made = match trial.reference() {
        Ok(made) => made,
        Err(error) => return Ok(Err((trial.place.clone(), format!("{error:#}")))),
    };
    std::fs::remove_dir_all(&trial.place)?;
    let reference = match made {
        Ok(reference) => Some(reference),
        Err(sentence) => {
            lock(&shared.report).skip(format!("{}: refused before training: {sentence}", case.name));
            None
        }
    };
    let reference = Arc::new(reference);
    lock(&shared.references).insert(case.name.clone(), Arc::clone(&reference));
    Ok(Ok(reference))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
