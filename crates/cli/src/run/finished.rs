//! What a run keeps when it is finished, so that it can train further as if it had never ended.
//!
//! While it trains, a run has a backup: model, optimizer, position, history and the callbacks' states in one file. At its end the model
//! and the optimizer are in `model.keras` too, so only the rest is kept, in `training.json`. Where `model.keras` holds other weights
//! than the last step left (the best ones, or averages), the whole backup is kept as `last.keras`.

use super::folder::RunFolder;
use crate::output::quoted;
use anyhow::{Context, anyhow, bail};
use maobi_formats::keras;
use maobi_nn::Model;
use serde_json::{Value, json};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The member of a backup that says where training is.
const MEMBER: &str = "training.json";
/// Longest `training.json` that is read.
const MAX_BYTES: u64 = 1 << 30;

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Epochs that are done.
    pub epochs: u64,
    /// Steps of the next epoch that are done.
    pub batch: u64,
    /// Steps of an epoch.
    pub steps_per_epoch: u64,
    /// Optimizer steps that are done.
    pub step: u64,
    /// Optimizer steps at which a run by steps was to end.
    pub steps: Option<u64>,
    /// Whether a callback has ended the training.
    pub stopped: bool,
}

impl Progress {
    fn of(training: &Value) -> Option<Progress> {
        let count = |key: &str| training[key].as_u64();
        Some(Progress {
            epochs: count("epoch")?,
            batch: count("batch")?,
            steps_per_epoch: count("steps_per_epoch")?,
            step: count("step")?,
            steps: count("steps"),
            stopped: training["stopped"].as_bool().unwrap_or(false),
        })
    }

    /// What a run folder says; `None` when it says nothing, as before the first epoch is done.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn read(folder: &RunFolder) -> anyhow::Result<Option<Progress>> {
        let training = match folder.backup_model() {
            Some(backup) => Some(open(&backup)?.1),
            None if folder.last().is_file() => Some(open(&folder.last())?.1),
            None => read(folder)?,
        };
        Ok(training.as_ref().and_then(Progress::of))
    }
}

/// Turns the backup of a run that has come to its end into what is kept. `model` is what `model.keras` holds.
///
/// # Errors
/// When files cannot be read or written; the backup is still there then.
pub fn keep(folder: &RunFolder, model: &Model) -> anyhow::Result<()> {
    let Some(backup) = folder.backup_model() else { return Ok(()) };
    let (last, mut training) = open(&backup)?;
    if are_equal(&last, model) {
        // Tells that `model.keras` is still the same file.
        training["model"] = fingerprint(folder, model)?;
        maobi_formats::atomic_write(folder.training(), training.to_string().as_bytes())?;
        remove(&folder.last())?;
        remove(&backup)?;
    } else {
        fs::rename(&backup, folder.last()).with_context(|| format!("{}: cannot be written", folder.last().display()))?;
        remove(&folder.training())?;
    }
    // Something else may be in it: then it stays.
    let _ = fs::remove_dir(folder.backup());
    Ok(())
}

/// Makes the backup again that the run had at its end.
///
/// # Errors
/// When there is nothing to make it from, or files cannot be read or written.
pub fn bring_back(folder: &RunFolder) -> anyhow::Result<()> {
    let path = folder.path.display();
    fs::create_dir_all(folder.backup()).with_context(|| format!("{}: cannot be made", folder.backup().display()))?;
    let backup = maobi_train::callbacks::BackupAndRestore::new(folder.backup()).path();
    if folder.last().is_file() {
        return fs::rename(folder.last(), &backup).with_context(|| format!("{}: cannot be written", backup.display()));
    }
    let training = read(folder)?.ok_or_else(|| anyhow!("{path}: has no training.json, so it cannot train further"))?;
    let model = keras::load(&folder.model(), 0)?.model;
    if training["model"] != fingerprint(folder, &model)? {
        bail!(
            "{path}: model.keras is not the model that this run ended with, so the run cannot train further. Begin a new run with \
             its weights: maobi train --weights {}",
            quoted(&folder.model())
        );
    }
    keras::save_with(&model, &backup, &[(MEMBER, training.to_string().as_bytes())])?;
    Ok(())
}

/// A backup: the model, and where training is.
fn open(backup: &Path) -> anyhow::Result<(Model, Value)> {
    let loaded = keras::load(backup, 0)?;
    let damaged = || format!("{}: is no backup of a run; remove the file to train anew", backup.display());
    let member = loaded.extras.iter().find(|(name, _)| name == MEMBER).with_context(damaged)?;
    Ok((loaded.model, serde_json::from_slice(&member.1).with_context(damaged)?))
}

/// `training.json`, if it is there.
fn read(folder: &RunFolder) -> anyhow::Result<Option<Value>> {
    let path = folder.training();
    let text = match maobi_guard::read_text(&path, MAX_BYTES) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text.with_context(|| format!("{}: cannot be read", path.display()))?,
    };
    Ok(Some(serde_json::from_str(&text).with_context(|| format!("{}: is damaged", path.display()))?))
}

/// What tells a model file from another one.
fn fingerprint(folder: &RunFolder, model: &Model) -> anyhow::Result<Value> {
    let file = folder.model();
    let bytes = fs::metadata(&file).with_context(|| format!("{}: cannot be read", file.display()))?.len();
    Ok(json!({ "bytes": bytes, "step": model.optimizer_state_ref().map(|state| state.iterations) }))
}

/// Whether all weights are the same, bit for bit. The optimizer then is, too: what changes a model after its last step changes weights.
fn are_equal(a: &Model, b: &Model) -> bool {
    let bits = |model: &Model| -> Vec<Vec<u32>> {
        model.weights().iter().map(|weight| weight.values().iter().map(|value| value.to_bits()).collect()).collect()
    };
    bits(a) == bits(b)
}

fn remove(file: &Path) -> anyhow::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{}: cannot be removed", file.display()))
        }
        _ => Ok(()),
    }
}
