//! The folder in which every command is run: a finished run, an unfinished one, models, pictures, data. It is made once and copied.

use crate::kills::folder::{self, Tree};
use crate::place;
use crate::process;
use anyhow::{Context as _, Result, bail};
use maobi_data::builtin;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(60);

/// A small network by epochs.
const RECIPE: &str = r#"name = "small"
input_shape = [28, 28, 1]
[data]
dataset = "mnist"
validation = { tail = 0.2 }
[[layers]]
type = "Flatten"
[[layers]]
type = "Dense"
units = 8
activation = "relu"
[[layers]]
type = "Dense"
units = 10
activation = "softmax"
[training]
optimizer = "adam"
loss = "sparse_categorical_crossentropy"
metrics = ["accuracy"]
epochs = 4
[[callbacks]]
type = "ModelCheckpoint"
filepath = "checkpoints/{epoch:02d}.keras"
"#;

/// Makes the folder.
pub fn make(maobi: &Path, folder: &Path) -> Result<()> {
    place::write_small(folder, 300, 50)?;
    std::fs::write(folder.join("recipe.toml"), RECIPE)?;
    let steps = RECIPE
        .replace("epochs = 4", "steps = 30")
        .replace("{epoch:02d}.keras\"", "{step}.keras\"\nsave_freq = 10")
        .replace("validation = { tail = 0.2 }", "");
    std::fs::write(folder.join("steps.toml"), steps)?;
    let mut table = String::from("file,label\n");
    for index in 0..24 {
        let (pixels, label) = builtin::digit(9, index);
        let value = |x: u32, y: u32| image::Luma([255 - pixels[(y / 2 * 28 + x / 2) as usize]]);
        let picture = image::GrayImage::from_fn(56, 56, value);
        let inner = folder.join(format!("photos/{label}"));
        std::fs::create_dir_all(&inner)?;
        picture.save(inner.join(format!("{index}.png")))?;
        table.push_str(&format!("photos/{label}/{index}.png,{label}\n"));
    }
    std::fs::write(folder.join("table.csv"), table)?;
    std::fs::copy(super::super::binary::root().join("fixtures/pictures/seven.png"), folder.join("seven.png"))?;
    let run = |arguments: &[&str]| -> Result<()> {
        let ended = process::run(place::command(maobi, folder, &folder.join("data")).args(arguments), LIMIT)?;
        if ended.code != Some(0) {
            bail!("{arguments:?} failed: {}", ended.err);
        }
        Ok(())
    };
    run(&["train", "recipe.toml", "--limit", "200", "--out", "run", "-q"])?;
    std::fs::copy(folder.join("run/model.keras"), folder.join("model.keras"))?;
    run(&["export", "model.keras", "--to", "h5", "--out", "old.h5"])?;
    half(maobi, folder)
}

/// A run that was stopped after its first epoch.
fn half(maobi: &Path, folder: &Path) -> Result<()> {
    let mut command = place::command(maobi, folder, &folder.join("data"));
    command.args(["train", "recipe.toml", "--limit", "200", "--out", "half", "--json", "--threads", "1"]);
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().context("no stdout")?);
    lines.read_line(&mut String::new())?;
    child.stdout = Some(lines.into_inner());
    child.kill()?;
    process::finish(child, started, LIMIT)?;
    Ok(())
}

/// What may not change: everything but what the command is asked to change, and what it makes anew.
pub fn kept(folder: &Path, changes: &[&str]) -> Result<Tree> {
    let mut tree = folder::tree(folder)?;
    tree.retain(|path, _| !changes.iter().any(|change| path.starts_with(change)) && !path.starts_with("cache"));
    Ok(tree)
}

/// What of `before` is different or missing now, or lies half-written in the folder.
pub fn harm(before: &Tree, folder: &Path, killed: bool) -> Result<Option<String>> {
    let mut now = folder::tree(folder)?;
    // A process that was killed cannot clear up; the next one does.
    let left = |path: &&std::path::PathBuf| path.extension().is_some_and(|e| e == "tmp") && !before.contains_key(*path);
    if let Some(left) = now.keys().find(left).filter(|_| !killed) {
        return Ok(Some(format!("{} was left behind", left.display())));
    }
    now.retain(|path, _| before.contains_key(path));
    if let Some(difference) = folder::difference(before, &now) {
        return Ok(Some(format!("what was there is harmed: {difference}")));
    }
    Ok(folder::unreadable(folder, RECIPE)?.map(|error| format!("a file is half-written: {error}")))
}
