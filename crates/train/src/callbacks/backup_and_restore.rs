//! `BackupAndRestore`: training goes on after an interruption as if there had been none.
//!
//! As Keras' `callbacks/backup_and_restore.py`, with two differences: everything is in one file that is replaced as a whole, and the
//! states of the other callbacks are in it too.

use super::save_freq::SaveFreq;
use super::snapshot::Snapshot;
use super::{Action, BatchLogs, Callback, Context, EpochLogs, Resume, Running};
use crate::error::{Error, Result};
use crate::history::History;
use maobi_nn::object::{Declared, range};
use maobi_nn::{Model, keras_object};
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The file in the backup folder.
const FILE: &str = "backup.keras";
/// Its member that says where training was.
const MEMBER: &str = "training.json";

/// Backups by time take at most one part in so many of the training's time.
const COST: u32 = 50;

keras_object! {
    /// Keeps a backup of model, optimizer, position and all callbacks' states; `fit` goes on from it.
    ///
    /// The backup is one file, `backup.keras` in the folder, which is also a model that Keras opens. The first one is written before the
    /// first step; a run by steps also writes one after its last step. It is removed when training is complete. When a callback stops
    /// training within an epoch, the position is saved, and the next `fit` goes on with the next step. A model whose weights are NaN or
    /// infinite is never saved over a good one: training ends with an error instead.
    ///
    /// Weights, figures and files of other callbacks are, bit for bit, those of a training without interruption, however often a backup
    /// is written. Only where an interrupted epoch had other metrics than the model has now, its running means start anew.
    pub struct BackupAndRestore("backup_and_restore") with run: Running<State>, new(
        /// The folder; `backup` where a recipe does not say.
        backup_dir: PathBuf = "backup".into(),
    ) {
        /// When to save; after epochs by default.
        save_freq: SaveFreq where range::AT_LEAST_ONE = SaveFreq::Epoch,
        /// Epochs from one backup to the next; 1 by default. Not in Keras.
        period: u64 where range::AT_LEAST_ONE = 1,
        /// Whether the backup is removed when training is complete; true by default.
        delete_checkpoint: bool = true,
    }
}

/// What has been so far.
#[derive(Default)]
pub struct State {
    seen: u64,
    /// Also after so much time.
    longest: Option<Duration>,
    /// A loss was infinite or NaN.
    spoilt: bool,
    /// The file holds a model that has been trained, not just the first weights.
    trained: bool,
    /// The file that training goes on from, and the steps per epoch of its run.
    expected: Option<(PathBuf, u64)>,
    /// When the last backup was written, and how long that took.
    saved: Option<Instant>,
    took: Duration,
}

impl BackupAndRestore {
    /// Also save when so much time has passed since the last backup; later where a backup takes more than a fiftieth of that.
    ///
    /// What training ends with does not depend on it.
    #[must_use]
    pub fn at_least_every(mut self, time: Duration) -> Self {
        self.run.longest = Some(time);
        self
    }

    /// The backup file.
    pub fn path(&self) -> PathBuf {
        self.backup_dir.join(FILE)
    }

    fn save(&mut self, context: &Context<'_>) -> Result<()> {
        if self.run.spoilt {
            return Ok(());
        }
        context.check_finite()?;
        let start = Instant::now();
        std::fs::create_dir_all(&self.backup_dir).map_err(|e| Error::file(&self.backup_dir, e))?;
        let training = json!({
            "version": 1,
            "run": identity(context.model),
            "steps_per_epoch": context.steps_per_epoch,
            "step": context.step,
            "steps": context.steps,
            // Under a schedule the optimizer's variables do not have it.
            "learning_rate": context.model.optimizer_state_ref().map(|state| state.learning_rate),
            "epoch": context.epoch,
            "batch": context.batch,
            // Within an epoch it is the user who stops, and goes on later.
            "stopped": context.stopping && context.batch == 0,
            "seen": self.run.seen,
            "states": (context.states)(),
            "metrics": context.model.metrics_state(),
            "history": context.history.to_json(),
        });
        maobi_formats::keras::save_with(context.model, &self.path(), &[(MEMBER, training.to_string().as_bytes())])?;
        (self.run.saved, self.run.took, self.run.trained) = (Some(Instant::now()), start.elapsed(), context.step > 0);
        Ok(())
    }

    /// Whether the last backup is old enough for one by time.
    fn is_late(&self) -> bool {
        let (Some(longest), Some(saved)) = (self.run.longest, self.run.saved) else { return false };
        saved.elapsed() >= longest.max(self.run.took.saturating_mul(COST))
    }

    /// Takes the model back to the backup.
    fn load(&mut self, model: &mut Model, path: &Path) -> Result<Resume> {
        let extras =
            maobi_formats::keras::load_into(model, path).map_err(|e| unusable(path, &format!("cannot be used here ({e})")))?;
        model.check_finite_training().map_err(|e| unusable(path, &format!("cannot be used: {e}")))?;
        let training = training(path, &extras)?;
        if let Some(why) = difference(&training["run"], &identity(model)) {
            return Err(unusable(path, &why));
        }
        let damaged = |key: &str| unusable(path, &format!("is damaged ({MEMBER} has no {key})"));
        let count = |key: &str| training[key].as_u64().ok_or_else(|| damaged(key));
        let (epoch, batch, steps, seen) = (count("epoch")?, count("batch")?, count("steps_per_epoch")?, count("seen")?);
        let history = History::from_json(&training["history"]).ok_or_else(|| damaged("history"))?;
        if let (Some(rate), Some(state)) = (training["learning_rate"].as_f64(), model.optimizer_state_mut()) {
            state.learning_rate = rate as f32;
        }
        self.run.trained = training["step"].as_u64().is_some_and(|step| step > 0);
        (self.run.seen, self.run.expected) = (seen, Some((path.to_path_buf(), steps)));
        let (states, metrics) = (training["states"].clone(), training["metrics"].clone());
        let stopped = training["stopped"].as_bool().unwrap_or(false);
        Ok(Resume { epoch: epoch as usize, batch: batch as usize, states, metrics, history, stopped })
    }

    fn remove(&self) -> Result<()> {
        match std::fs::remove_file(self.path()) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(Error::file(self.path(), e)),
            _ => {}
        }
        // The folder goes when it is empty; whatever else is in it stays.
        let _ = std::fs::remove_dir(&self.backup_dir);
        Ok(())
    }
}

/// Whether a run by steps has come to its end.
fn all_steps_are_done(context: &Context<'_>) -> bool {
    context.steps.is_some_and(|steps| context.step >= steps)
}

fn unusable(file: &Path, why: &str) -> Error {
    let message = format!("{}: the backup {why}; delete the file to start anew", file.display());
    Error::argument("BackupAndRestore", message)
}

/// What a backup says about its training.
fn training(file: &Path, extras: &[(String, Vec<u8>)]) -> Result<Value> {
    let member = extras.iter().find(|(name, _)| name == MEMBER);
    let (_, text) = member.ok_or_else(|| unusable(file, "does not say where training was"))?;
    let training: Value = serde_json::from_slice(text).map_err(|e| unusable(file, &format!("is damaged ({MEMBER}: {e})")))?;
    if training["version"] != json!(1) {
        return Err(unusable(file, "is of another release"));
    }
    Ok(training)
}

/// What makes a run the same run.
fn identity(model: &Model) -> Value {
    let optimizer = model.compiled().map_or("", |how| how.optimizer.class_name());
    json!({ "seed": model.seed(), "optimizer": optimizer, "network": model.to_config()["config"]["layers"] })
}

/// In words, how a backup's run is another one.
fn difference(backup: &Value, here: &Value) -> Option<String> {
    if backup["network"] != here["network"] {
        return Some("is of another network".into());
    }
    for key in ["optimizer", "seed"] {
        if backup[key] != here[key] {
            return Some(format!("is of a run with {key} {}, this one has {}", backup[key], here[key]));
        }
    }
    None
}

impl Callback for BackupAndRestore {
    fn name(&self) -> &'static str {
        "BackupAndRestore"
    }

    fn check(&self) -> Result<()> {
        self.check_ranges()?;
        Ok(self.save_freq.check_period(Self::CLASS, self.period)?)
    }

    fn set_folder(&mut self, folder: &Path) {
        self.backup_dir = folder.join(&self.backup_dir);
    }

    fn resume(&mut self, model: &mut Model) -> Result<Option<Resume>> {
        let file = self.path();
        if !file.exists() {
            return Ok(None);
        }
        let weights = Snapshot::take(model);
        let state = model.optimizer_state_ref().cloned();
        let resume = self.load(model, &file);
        if resume.is_err() {
            // A backup that is not used leaves the model as it was.
            weights.put(model);
            if let (Some(kept), Some(state)) = (state, model.optimizer_state_mut()) {
                *state = kept;
            }
        }
        resume.map(Some)
    }

    fn on_train_begin(&mut self, context: &mut Context<'_>) -> Result<()> {
        let here = context.steps_per_epoch;
        if let Some((file, steps)) = self.run.expected.as_ref().filter(|(_, steps)| *steps != here as u64) {
            let why = format!("is of a run with {steps} steps per epoch, this one has {here} (other data or batch size)");
            return Err(unusable(file, &why));
        }
        self.run.saved = Some(Instant::now());
        // From the start: what other callbacks have begun by now, such as files, is known however early training is interrupted.
        if self.path().exists() { Ok(()) } else { self.save(context) }
    }

    fn on_batch_end(&mut self, context: &mut Context<'_>, logs: &BatchLogs) -> Result<Action> {
        self.run.spoilt |= !logs.loss.is_finite();
        let due = self.save_freq.step(&mut self.run.seen);
        if due || all_steps_are_done(context) || self.is_late() {
            self.save(context)?;
        }
        Ok(Action::Continue)
    }

    fn on_epoch_end(&mut self, context: &mut Context<'_>, _logs: &EpochLogs) -> Result<Action> {
        // The last step of a run by steps may end an epoch early, which a longer run does not: its backup from before that stays.
        if self.save_freq.epoch(self.period, &mut self.run.seen) && !all_steps_are_done(context) {
            self.save(context)?;
        }
        Ok(Action::Continue)
    }

    fn on_train_end(&mut self, context: &mut Context<'_>) -> Result<()> {
        match () {
            // What went wrong may be put right: the last good backup stays.
            () if context.failed || self.run.spoilt => Ok(()),
            // Stopped on the way through an epoch.
            () if context.batch > 0 => self.save(context),
            () if self.delete_checkpoint => self.remove(),
            () => Ok(()),
        }
    }

    fn saves_states(&self) -> bool {
        true
    }

    fn kept(&self) -> Option<PathBuf> {
        Some(self.path()).filter(|path| self.run.trained && path.exists())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_named() {
        let run = |seed: u64, optimizer: &str, units: u64| json!({ "seed": seed, "optimizer": optimizer, "network": [units] });
        assert_eq!(difference(&run(1, "Adam", 3), &run(1, "Adam", 3)), None);
        assert_eq!(difference(&run(1, "Adam", 3), &run(1, "Adam", 4)).unwrap(), "is of another network");
        assert_eq!(
            difference(&run(1, "Adam", 3), &run(1, "SGD", 3)).unwrap(),
            "is of a run with optimizer \"Adam\", this one has \"SGD\""
        );
        assert_eq!(difference(&run(1, "Adam", 3), &run(2, "Adam", 3)).unwrap(), "is of a run with seed 1, this one has 2");
        assert_eq!(difference(&Value::Null, &run(2, "Adam", 3)).unwrap(), "is of another network");
    }
}
