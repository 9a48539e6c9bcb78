//! Name-based checkpoints, as the `Saver` of TensorFlow 1 leaves them: `model.ckpt-20000`, variables by name, `global_step`.

use super::bundle::{Bundle, Writer};
use super::checkpoint::{is_object_based, left_out, locate, target};
use super::saver_match::assign;
use super::saver_names::GLOBAL_STEP;
pub use super::saver_names::{layer_names, variable_names};
use super::{saver_slots, state};
use crate::contract::{Format, Loaded};
use crate::error::{Error, Result};
use crate::weights::named::{Found, collect};
use crate::weights::{Refusal, Values, apply};
use maobi_nn::Model;
use std::path::Path;

/// The format `tf1-checkpoint`.
pub(crate) struct Tf1Checkpoint;

impl Format for Tf1Checkpoint {
    fn name(&self) -> &'static str {
        "tf1-checkpoint"
    }

    fn about(&self) -> &'static str {
        "weights by name with global_step, as TensorFlow 1's Saver writes them (model.ckpt-20000)"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &[".ckpt-STEP"]
    }

    fn recognises(&self, path: &Path, _head: &[u8]) -> bool {
        is_object_based(path) == Some(false)
    }

    fn load(&self, path: &Path, _seed: u64) -> Result<Loaded> {
        Err(Error::no_network(path))
    }

    fn load_weights(&self, model: &mut Model, path: &Path) -> Result<Vec<String>> {
        load_into(model, path)
    }

    fn keeps_slots(&self) -> bool {
        true
    }

    fn save(&self, model: &Model, path: &Path, extras: &[(&str, &[u8])]) -> Result<Vec<String>> {
        let notes = save(model, path, &layer_names(model))?;
        Ok(left_out(notes, extras))
    }
}

/// Writes the weights under `names` (in the order of [`Model::weights`]) and, when the model is compiled, `global_step` and the
/// optimizer's variables as TensorFlow 1 knows them; notes the checkpoint as its folder's latest. Returns what could not be carried
/// over, in words.
///
/// # Errors
/// [`Error::Io`] when the files cannot be written, [`Error::Write`] for names that are too few or the same.
pub fn save(model: &Model, path: &Path, names: &[String]) -> Result<Vec<String>> {
    let prefix = target(path)?;
    let (writer, notes) = write(model, names).map_err(|message| Error::write(path, message))?;
    writer.write(&prefix)?;
    state::add(&prefix)?;
    Ok(notes)
}

fn write(model: &Model, names: &[String]) -> Result<(Writer, Vec<String>), String> {
    if names.len() != model.weights().len() {
        return Err(format!("{} names for {} weights", names.len(), model.weights().len()));
    }
    let mut writer = Writer::default();
    for (weight, name) in model.weights().iter().zip(names) {
        writer.floats(name, &weight.shape, &weight.values())?;
    }
    let notes = match model.optimizer_state_ref() {
        Some(state) => {
            writer.integer(GLOBAL_STEP, state.iterations)?;
            saver_slots::write(&mut writer, model, names)?
        }
        None => Vec::new(),
    };
    Ok((writer, notes))
}

/// Reads the weights of a checkpoint into a model of the same network; where the model is compiled, also `global_step` and the
/// optimizer's variables. Returns what was left aside, in words.
///
/// Variables are found by the names of [`layer_names`], by the layers' own (`conv1/kernel`) or by those of [`variable_names`]; else by
/// shape and by number (`weights`, `weights_1`), which must leave no doubt.
///
/// # Errors
/// [`Error::Io`], [`Error::Damaged`]; [`Error::Misfit`] when a weight has no variable or several could be meant, with the names that
/// are there. Nothing is changed on failure.
pub fn load_into(model: &mut Model, path: &Path) -> Result<Vec<String>> {
    let prefix = locate(path)?;
    let bundle = Bundle::open(&prefix)?;
    load_bundle(model, &prefix, &bundle, None)
}

/// As [`load_into`], by names the caller knows, in the order of [`Model::weights`].
///
/// # Errors
/// As [`load_into`].
pub fn load_named(model: &mut Model, path: &Path, names: &[String]) -> Result<Vec<String>> {
    let prefix = locate(path)?;
    let bundle = Bundle::open(&prefix)?;
    load_bundle(model, &prefix, &bundle, Some(names))
}

/// As [`load_into`], from the bytes of the index and the files of values; `path` is the name that errors use.
///
/// # Errors
/// As [`load_into`].
pub fn load_bytes(model: &mut Model, path: &Path, index: &[u8], shards: Vec<Vec<u8>>) -> Result<Vec<String>> {
    let bundle = Bundle::from_bytes(index, shards).map_err(|message| Error::damaged(path, message))?;
    load_bundle(model, path, &bundle, None)
}

fn load_bundle(model: &mut Model, path: &Path, bundle: &Bundle, names: Option<&[String]>) -> Result<Vec<String>> {
    let read = |refusal: Refusal| refusal.at(path);
    let names = match names {
        Some(names) => names.to_vec(),
        None => assign(model, bundle).map_err(read)?,
    };
    let weights = values(model, bundle, &names).map_err(read)?;
    let mut notes = Vec::new();
    let optimizer = match model.optimizer_state_ref() {
        Some(_) => saver_slots::read(model, bundle, &names, &mut notes),
        None => None,
    };
    apply(&Values::new(weights, optimizer), model).map_err(|message| Error::damaged(path, message))?;
    Ok(notes)
}

fn values(model: &Model, bundle: &Bundle, names: &[String]) -> Result<Vec<Vec<f32>>, Refusal> {
    let mut names = names.iter();
    collect(model, |_| {
        let Some(name) = names.next() else { return Ok(None) };
        let Some(shape) = bundle.shape(name)? else { return Ok(None) };
        Ok(Some(Found { at: name.clone(), shape, read: Box::new(|| bundle.floats(name)) }))
    })
}

#[cfg(test)]
#[path = "saver_tests.rs"]
mod tests;
