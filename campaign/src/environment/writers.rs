//! Two processes that train into one folder at the same time.

use crate::kills::folder;
use crate::place;
use crate::process;
use anyhow::Result;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// `(name, arguments of the first, arguments of the second, the folder)`.
pub const PAIRS: &[(&str, &[&str], &[&str], &str)] = &[
    ("start", START, START, "new"),
    ("start-steps", STEPS, STEPS, "new"),
    ("resume", RESUME, RESUME, "half"),
    ("start-and-resume", START, &["train", "--resume", "--out", "new"], "new"),
];

const START: &[&str] = &["train", "recipe.toml", "--limit", "200", "--out", "new"];
const STEPS: &[&str] = &["train", "steps.toml", "--limit", "200", "--out", "new"];
const RESUME: &[&str] = &["train", "--resume", "--out", "half"];

const LIMIT: Duration = Duration::from_secs(20);

/// One writes, the other writes later or says that it cannot; in the end the folder is that of one run alone.
pub fn run(maobi: &Path, work: &Path, number: usize) -> Result<Option<String>> {
    let Some((_, first, second, name)) = PAIRS.get(number) else { return Ok(None) };
    let command = |folder: &Path, arguments: &[&str]| -> Command {
        let mut command = place::command(maobi, folder, &work.join("data"));
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    // Alone, elsewhere.
    let alone = work.join("alone");
    std::fs::create_dir_all(&alone)?;
    for file in ["recipe.toml", "steps.toml"] {
        std::fs::copy(work.join(file), alone.join(file))?;
    }
    if *name == "half" {
        super::copy(&work.join("half"), &alone.join("half"))?;
    }
    process::run(&mut command(&alone, first), LIMIT)?;
    let expected = folder::tree(&alone.join(name))?;
    std::fs::remove_dir_all(&alone)?;
    let started = Instant::now();
    let children = [command(work, first).spawn()?, command(work, second).spawn()?];
    let mut good = 0;
    for child in children {
        let ended = process::finish(child, started, LIMIT)?;
        if let Some(complaint) = ended.complaint(false) {
            return Ok(Some(complaint));
        }
        good += u32::from(ended.code == Some(0));
    }
    if good == 0 {
        return Ok(Some("both failed".into()));
    }
    let found = folder::tree(&work.join(name))?;
    Ok(folder::leftover(&found)
        .map(|left| format!("{left} was left behind"))
        .or_else(|| folder::difference(&expected, &found).map(|text| format!("the folder is not that of one run: {text}"))))
}
