//! `--resume --epochs N`: a run by epochs goes on to another number of epochs.

use crate::output::{Console, count, quoted};
use crate::run::finished::Progress;
use crate::run::{RunConfig, RunFolder};
use anyhow::bail;
use maobi_nn::optimizers::LearningRate;
use maobi_train::Recipe;

/// Checks that the run can go on to `epochs` epochs. True when it has come to its end already and its backup has to be made again.
///
/// # Errors
/// When as many are done already, a callback has ended the run, or nothing is there to go on from.
pub fn check(folder: &RunFolder, before: &RunConfig, epochs: u64, console: &Console) -> anyhow::Result<bool> {
    let recipe = before.recipe_table().recipe()?;
    let (path, old) = (folder.path.display(), recipe.training.epochs.unwrap_or(1) as u64);
    if epochs == old {
        return Ok(false);
    }
    let finished = !folder.is_unfinished();
    let Some(done) = Progress::read(folder)? else {
        if finished {
            bail!(
                "{path}: an earlier release finished this run and kept no state to go on from. Begin a new run with its weights: \
                 maobi train --weights {} --epochs N",
                quoted(&folder.model())
            );
        }
        // Nothing is done yet.
        return Ok(false);
    };
    if done.stopped || (finished && done.epochs < old) {
        bail!("{path}: a callback of the recipe ended this run after epoch {}; more epochs would end there too", done.epochs);
    }
    let begun = done.epochs + u64::from(done.batch > 0);
    if epochs < begun || (finished && epochs == begun) {
        let begun =
            if done.batch > 0 { format!("has begun epoch {begun}") } else { format!("has trained {begun} epochs already") };
        bail!("--epochs {epochs}: the run in {path} {begun}; to go on with it, give a larger number");
    }
    schedule(&recipe, &done, epochs, console);
    Ok(finished)
}

/// A schedule counts steps from the first one, however many epochs there are. Says where it has come to its end.
fn schedule(recipe: &Recipe, done: &Progress, epochs: u64, console: &Console) {
    let LearningRate::Schedule(schedule) = &recipe.training.optimizer.base().learning_rate else { return };
    let at = |epoch: u64| schedule.at(epoch.saturating_mul(done.steps_per_epoch));
    let rate = at(done.epochs);
    // A thousand epochs tell a schedule that goes on from one that does not.
    if (done.epochs..epochs.min(done.epochs + 1000)).chain([epochs]).all(|epoch| at(epoch) == rate) {
        let first = count(done.epochs + 1);
        let effect = if rate == 0.0 { ", so that nothing is learned any more" } else { "" };
        console
            .say(&format!("the recipe's learning rate schedule is at its end: from epoch {first} on the rate is {rate}{effect}"));
    }
}
