//! A process of its own that opens damaged files, many one after another: it can be killed, and has little memory.

use super::mutate;
use super::readers;
use super::seeds::{self, Seed, TABLE};
use crate::seeded::{self, Random};
use anyhow::{Context as _, Result, bail};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Memory beyond what the process has at its start: what a file may take.
const MEMORY: u64 = 1 << 30;

/// Where and what the last panic was.
static PANIC: Mutex<String> = Mutex::new(String::new());

/// What a worker is started with, after `campaign worker`.
pub struct Job {
    /// The folder that [`seeds::make`] filled.
    pub seeds: PathBuf,
    /// A folder of its own; what is being opened stays in it when the worker ends.
    pub place: PathBuf,
    /// The program.
    pub maobi: PathBuf,
    /// Seeds of trials.
    pub trials: Vec<u64>,
}

impl Job {
    /// The arguments of a worker that does the trials `first` to `last` of a campaign, or one by its seed.
    pub fn arguments(seeds: &Path, place: &Path, maobi: &Path, which: [String; 3]) -> Vec<std::ffi::OsString> {
        let mut arguments: Vec<std::ffi::OsString> = vec!["worker".into(), seeds.into(), place.into(), maobi.into()];
        arguments.extend(which.map(Into::into));
        arguments
    }

    /// Reads those arguments.
    pub fn parse(arguments: &[std::ffi::OsString]) -> Result<Job> {
        let [seeds, place, maobi, seed, first, last] = arguments else { bail!("a worker is started by the campaign alone") };
        let number = |text: &std::ffi::OsString| -> Result<u64> { Ok(text.to_str().context("expected a number")?.parse()?) };
        let (first, last) = (number(first)?, number(last)?);
        let trials = match first == last {
            true => vec![number(seed)?],
            false => (first..last).map(|n| Ok(seeded::trial(number(seed)?, "files", n))).collect::<Result<_>>()?,
        };
        Ok(Job { seeds: seeds.into(), place: place.into(), maobi: maobi.into(), trials })
    }
}

/// Opens damaged files; before and after each a line goes to stdout: `begin SEED KIND`, `opened`, `refused` or `wrong REASON`.
pub fn run(job: &Job) -> Result<()> {
    let seeds = seeds::read(&job.seeds)?;
    let taken = pages_kib("VmSize:").unwrap_or(0) << 10;
    let limit = Some(taken + MEMORY);
    setrlimit(Resource::As, Rlimit { current: limit, maximum: limit })?;
    std::panic::set_hook(Box::new(|info| {
        let mut text = info.to_string().replace('\n', " ");
        text.truncate(500);
        if let Ok(mut last) = PANIC.lock() {
            *last = text;
        }
    }));
    // Whole files lie ready in a folder for each seed; a trial replaces one of them.
    let _ = std::fs::remove_dir_all(&job.place);
    for (index, seed) in seeds.iter().enumerate() {
        seed.write(&job.place.join(index.to_string()))?;
    }
    let mut out = std::io::stdout().lock();
    for &trial in &job.trials {
        let mut random = Random::new(trial);
        let index = choose(&seeds, &mut random);
        let seed = &seeds[index];
        writeln!(out, "begin {trial} {}", seed.kind)?;
        out.flush()?;
        let own = job.place.join(index.to_string());
        let (name, bytes) = damage(seed, &mut random);
        std::fs::write(own.join(name), bytes)?;
        let open = || readers::open(seed, &own.join(&seed.target), &job.maobi, &mut random);
        let result = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(open)) {
            Ok(Ok(true)) => "opened".to_owned(),
            Ok(Ok(false)) => "refused".to_owned(),
            Ok(Err(reason)) => format!("wrong {}", reason.replace('\n', " ")),
            Err(_) => format!("wrong {}", PANIC.lock().map(|last| last.clone()).unwrap_or_default()),
        };
        if seed.files.len() > 1 {
            seed.write_one(name, &own)?;
        }
        writeln!(out, "{result}")?;
        out.flush()?;
    }
    writeln!(out, "peak {}", pages_kib("VmHWM:").unwrap_or(0))?;
    Ok(())
}

/// A seed, by its index. Its kind is drawn first, so that kinds with many seeds come no more often; the one for which the program
/// itself is started comes rarely.
fn choose(seeds: &[Seed], random: &mut Random) -> usize {
    let mut kinds: Vec<&str> = seeds.iter().map(|seed| seed.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut kind = *random.pick(&kinds);
    while kind == TABLE && !random.one_in(60) {
        kind = *random.pick(&kinds);
    }
    let own: Vec<usize> = (0..seeds.len()).filter(|index| seeds[*index].kind == kind).collect();
    own[random.below(own.len())]
}

/// A damaged copy of one of the seed's files, with its name; small ones are as interesting as large ones.
fn damage<'a>(seed: &'a Seed, random: &mut Random) -> (&'a Path, Vec<u8>) {
    let (name, bytes) = random.pick(&seed.files);
    (name, mutate::damaged(&name.to_string_lossy(), bytes, random))
}

/// A line of this process's own status, in KiB.
fn pages_kib(what: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// Writes the damaged file of a trial into a folder, without opening it.
pub fn keep(seeds: &Path, folder: &Path, trial: u64) -> Result<()> {
    let seeds = seeds::read(seeds)?;
    let mut random = Random::new(trial);
    let seed = &seeds[choose(&seeds, &mut random)];
    seed.write(folder)?;
    let (name, bytes) = damage(seed, &mut random);
    std::fs::write(folder.join(name), bytes)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_a_function_of_the_seed_and_mostly_changes_something() {
        let folder = tempfile::tempdir().unwrap();
        seeds::make(folder.path()).unwrap();
        let seeds = seeds::read(folder.path()).unwrap();
        let kinds: std::collections::BTreeSet<&str> = seeds.iter().map(|seed| seed.kind.as_str()).collect();
        assert!(kinds.len() >= 20, "{kinds:?}");
        for seed in &seeds {
            let mut changed = 0;
            for trial in 0..20 {
                let (name, bytes) = damage(seed, &mut Random::new(trial));
                assert_eq!(bytes, damage(seed, &mut Random::new(trial)).1, "{} {trial}", seed.kind);
                changed += usize::from(seed.files.iter().any(|(own, whole)| own == name && *whole != bytes));
            }
            assert!(changed >= 10, "{}: {changed} of 20", seed.kind);
        }
    }

    #[test]
    fn whole_seeds_open() {
        let folder = tempfile::tempdir().unwrap();
        seeds::make(folder.path()).unwrap();
        for (index, seed) in seeds::read(folder.path()).unwrap().iter().enumerate() {
            if seed.kind == TABLE {
                continue;
            }
            let path = seed.write(&folder.path().join(format!("whole/{index}"))).unwrap();
            let opened = readers::open(seed, &path, Path::new("maobi"), &mut Random::new(2));
            // Weights alone whose network is not in the fixtures are read and refused.
            let weights_alone = seed.network.is_none() && matches!(seed.kind.as_str(), "h5" | "tf-checkpoint" | "tf1-checkpoint");
            assert!(opened == Ok(true) || (opened == Ok(false) && weights_alone), "{} {}", seed.kind, seed.target.display());
        }
    }
}
