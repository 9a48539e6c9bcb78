//! Runs by steps: where they go on.

use super::finished::{self, Progress};
use super::folder::{RunFolder, modified};
use super::model_file::refuse_nan;
use crate::output::Console;
use maobi_formats::{format, keras};
use maobi_nn::Model;
use maobi_train::Recipe;
use std::path::{Path, PathBuf};

/// Where a run by steps that has begun goes on.
#[derive(Debug)]
pub enum Start {
    /// All its steps are done and its model is saved.
    Done,
    /// From the full state of training, which `fit` reads.
    State,
    /// From a checkpoint of a run without such a state.
    Checkpoint(Box<Model>),
    /// From its first step.
    Anew,
}

/// Looks for the state of training, then for checkpoints; says what it found.
///
/// # Errors
/// A state that cannot be read.
pub fn start(folder: &RunFolder, recipe: &Recipe, seed: u64, console: &Console) -> anyhow::Result<Start> {
    let steps = recipe.training.steps.unwrap_or(0);
    if let Some(progress) = Progress::read(folder)? {
        let unfinished = folder.is_unfinished();
        if !unfinished && progress.steps.is_some_and(|before| before >= steps) {
            return Ok(Start::Done);
        }
        if !unfinished {
            finished::bring_back(folder)?;
        }
        console.say(&format!("going on from step {}", progress.step));
        return Ok(Start::State);
    }
    let Some(Furthest { model, file, step }) = furthest(folder, recipe, seed, console) else { return Ok(Start::Anew) };
    console.say(&format!("going on from {} at step {step}", file.display()));
    if step >= steps {
        return Ok(Start::Done);
    }
    console.say(
        "the folder has checkpoints only, without the full state of training: the result may differ from that of a run without \
         interruption",
    );
    Ok(Start::Checkpoint(Box::new(model)))
}

/// A model with its optimizer, and how far it was trained.
#[derive(Debug)]
struct Furthest {
    model: Model,
    file: PathBuf,
    step: u64,
}

/// The model with the highest global step among `model.keras` and the checkpoints, if there is one that can be read. Checkpoints of
/// TensorFlow hold no network: they are read into `recipe`'s.
fn furthest(folder: &RunFolder, recipe: &Recipe, seed: u64, console: &Console) -> Option<Furthest> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder.checkpoints())
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    files.push(folder.model());
    let whole = |path: &PathBuf| {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        path.is_file() && name.ends_with(".keras") && !name.starts_with('.')
    };
    files.retain(whole);
    files.extend(folder.tensorflow_checkpoints());
    // Newest first: the first that can be read is nearly always the furthest, but only its own word counts.
    files.sort_by_key(|path| std::cmp::Reverse(modified(path)));
    let mut best: Option<Furthest> = None;
    let mut read = 0;
    for file in files {
        if read == 2 {
            break;
        }
        match open(&file, recipe, seed, console) {
            Ok(model) => {
                read += 1;
                let Some(step) = model.optimizer_state_ref().map(|state| state.iterations) else { continue };
                if best.as_ref().is_none_or(|b| b.step < step) {
                    best = Some(Furthest { model, file, step });
                }
            }
            Err(error) => console.warn(&format!("{error}; looking for an older checkpoint")),
        }
    }
    best
}

fn open(file: &Path, recipe: &Recipe, seed: u64, console: &Console) -> anyhow::Result<Model> {
    if file.is_file() {
        let model = keras::load(file, seed)?.model;
        refuse_nan(model.check_finite_training(), file)?;
        return Ok(model);
    }
    let mut model = recipe.model(seed)?;
    for note in format::detect(file)?.load_weights(&mut model, file)? {
        console.warn(&format!("{}: {note}", file.display()));
    }
    refuse_nan(model.check_finite_training(), file)?;
    Ok(model)
}
