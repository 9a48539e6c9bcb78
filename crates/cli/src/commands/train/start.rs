//! The start of a run: what is checked before anything is written, and what makes room.

use crate::output::{Console, count};
use crate::run::{self, RunConfig, RunFolder, RunSection, Written};
use anyhow::bail;
use maobi_nn::Model;
use maobi_nn::optimizers::LearningRate;
use maobi_train::{Recipe, callbacks};
use std::path::{Path, PathBuf};

/// Finds mistakes in the recipe's callbacks before a folder is made.
pub fn check_callbacks(recipe: &Recipe) -> anyhow::Result<()> {
    for (class, arguments) in &recipe.callbacks {
        callbacks::from_config(class, arguments, Path::new(""))?;
    }
    Ok(())
}

/// Begins with the weights of a file, and with its optimizer where it has one.
pub fn begin_with(model: &mut Model, recipe: &Recipe, file: &Path, rate: Option<f64>, console: Console) -> anyhow::Result<()> {
    run::model_file::load_weights(model, file, &console)?;
    console.say(&format!("beginning with the weights of {}", file.display()));
    let Some(state) = model.optimizer_state_mut() else { return Ok(()) };
    // A schedule gives each step its rate; a number is part of the state, where the file's has replaced the recipe's.
    if let (Some(rate), LearningRate::Constant(_)) = (rate, &recipe.training.optimizer.base().learning_rate) {
        state.learning_rate = rate as f32;
    }
    let done = state.iterations;
    if let Some(steps) = recipe.training.steps.filter(|steps| done >= *steps) {
        bail!(
            "{}: has been trained for {} steps already, and --steps counts them, so {} steps leave nothing to do; give a larger --steps",
            file.display(),
            count(done),
            count(steps)
        );
    }
    Ok(())
}

/// Checks that a run goes on with the data that it began with.
pub fn same_data(before: &RunSection, now: &RunSection) -> anyhow::Result<()> {
    const WHAT_TO_DO: &str = "It goes on only with the same data: put it back, or start another run with --out";
    if before.training_images != now.training_images {
        bail!(
            "{}: this run began with {} training images of {}, now there are {}. {WHAT_TO_DO}",
            before.recipe,
            count(before.training_images as u64),
            before.dataset,
            count(now.training_images as u64)
        );
    }
    if before.data_hash.is_some() && before.data_hash != now.data_hash {
        bail!(
            "{}: the images or labels of {} are not those that this run began with. {WHAT_TO_DO}",
            before.recipe,
            before.dataset
        );
    }
    Ok(())
}

/// What is recorded of a run that goes on: how it began, and what is different now.
pub fn keep_beginning(section: &mut RunSection, before: &RunSection, console: Console) {
    let now = std::mem::replace(&mut section.isa, before.isa.clone());
    section.then_isa.clone_from(&before.then_isa);
    if now != before.isa {
        console.warn(&format!(
            "this run began with the instruction set {}, this machine (or MAOBI_ISA) uses {now}: it goes on, but its weights will \
             differ in their last bits from those of a run without the change",
            before.isa
        ));
        if !section.then_isa.contains(&now) {
            section.then_isa.push(now);
        }
    }
    section.maobi.clone_from(&before.maobi);
    let options = std::mem::replace(&mut section.options, before.options.clone());
    section.options.extend(options);
}

/// The files (relative to the folder) that make room for a new run.
pub fn old_files(folder: &RunFolder, written: &Written, overwrite: bool) -> anyhow::Result<Vec<PathBuf>> {
    let path = folder.path.display();
    if !folder.has_run() {
        // Not a run's: whatever it is, it is not to be lost.
        if let Some(file) = written.files(&folder.path).first() {
            bail!("{path}: holds no run (no config.toml), but {}, which a run would replace; give another --out", file.display());
        }
        return Ok(Vec::new());
    }
    if !overwrite {
        bail!("{path}: another process has just started a run there; give another --out");
    }
    Ok(written_by(folder, written))
}

/// The files (relative to the folder) that the run in it wrote.
pub fn written_by(folder: &RunFolder, written: &Written) -> Vec<PathBuf> {
    // Its own recipe says what it wrote. Where its config.toml cannot be read, the new recipe has to do.
    let own = RunConfig::read(folder).ok().and_then(|config| config.recipe_table().recipe().ok());
    let written = own.map_or_else(|| written.clone(), |own| written.clone().and(Written::of(&own)));
    written.files(&folder.path)
}
