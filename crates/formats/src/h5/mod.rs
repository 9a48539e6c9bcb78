//! `.h5`: the whole model in one HDF5 file, as Keras 1 and 2 saved it and Keras 3 still does, and the same layout of weights alone.
//!
//! What is written has Keras 2's form, which tf_keras and every Keras 3 read. Which of its layouts a file has is found out by its
//! content; a file of Keras 3's weights that is called `.h5` is read as what it is.

mod config;
#[cfg(test)]
mod tests;

use crate::contract::{Format, Loaded, without_place};
use crate::error::{Error, Result};
use crate::files::{self, check_json};
use crate::hdf5::{Group, Layout, MAGIC, Reader, layout_of, to_bytes};
use crate::weights::{apply, keras_has_schedule, legacy, read_any, read_whole};
/// Reading weights asks the content for the layout, and is the same under either name.
pub use crate::weights_h5::{load as load_weights, load_bytes as load_weights_bytes};
use crate::{atomic_write, compile};
pub(crate) use config::modernise;
use maobi_nn::graph::{Kind, Part};
use maobi_nn::losses::Loss;
use maobi_nn::metrics::Metric;
use maobi_nn::optimizers::LearningRate;
use maobi_nn::{Compile, Model};
use serde_json::{Value, json};
use std::path::Path;

/// The format `h5`.
pub(crate) struct H5;

impl Format for H5 {
    fn name(&self) -> &'static str {
        "h5"
    }

    fn about(&self) -> &'static str {
        "Keras' older whole-model file, for Keras 2 (tf_keras) and 3: network, weights, how it was compiled"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &[".h5", ".hdf5"]
    }

    fn recognises(&self, path: &Path, head: &[u8]) -> bool {
        head.starts_with(MAGIC) && layout_of(path) != Some(Layout::Weights)
    }

    fn load(&self, path: &Path, seed: u64) -> Result<Loaded> {
        load(path, seed)
    }

    fn load_without_slots(&self, path: &Path, seed: u64) -> Result<Loaded> {
        read(path, files::read(path)?, seed, false)
    }

    fn load_weights(&self, model: &mut Model, path: &Path) -> Result<Vec<String>> {
        load_weights(model, path).map(|()| Vec::new())
    }

    fn save(&self, model: &Model, path: &Path, extras: &[(&str, &[u8])]) -> Result<Vec<String>> {
        let mut notes = save(model, path)?;
        notes.extend(without_place(extras, "a .h5 file"));
        Ok(notes)
    }
}

/// What [`save_with`] writes beside network and weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The optimizer's variables, for tf_keras and for this library to train on from.
    ///
    /// Not for Keras 3: up to 3.15 at least it restores none of them from any `.h5`, its own included, and its `fit` then fails with
    /// "Unknown variable". Without them the model loads compiled and trains with a fresh optimizer.
    pub optimizer_variables: bool,
}

impl Options {
    /// The default with [`Options::optimizer_variables`] as given.
    #[must_use]
    pub fn optimizer_variables(mut self, yes: bool) -> Options {
        self.optimizer_variables = yes;
        self
    }
}

/// Writes a model: network, weights, and how it was compiled. Returns what could not be carried over, in words.
///
/// The same model gives the same bytes.
///
/// # Errors
/// [`Error::Io`] when the file cannot be written, [`Error::Write`] when it cannot hold the model.
pub fn save(model: &Model, path: &Path) -> Result<Vec<String>> {
    save_with(model, path, Options::default())
}

/// As [`save`], with more or less in the file.
///
/// # Errors
/// As [`save`].
pub fn save_with(model: &Model, path: &Path, options: Options) -> Result<Vec<String>> {
    let (bytes, notes) = whole_model(model, options).map_err(|message| Error::write(path, message))?;
    atomic_write(path, &bytes)?;
    Ok(notes)
}

/// Writes the weights alone in this layout, as Keras 2's `save_weights("….h5")` does. For Keras 3 alone,
/// [`weights_h5::save`](crate::weights_h5::save) is the newer form.
///
/// # Errors
/// As [`save`].
pub fn save_weights(model: &Model, path: &Path) -> Result<()> {
    let bytes = to_bytes(legacy::weights_only(model)).map_err(|message| Error::write(path, message))?;
    atomic_write(path, &bytes)
}

fn whole_model(model: &Model, options: Options) -> Result<(Vec<u8>, Vec<String>), String> {
    let mut notes = Vec::new();
    let mut root = Group::default();
    root.text("backend", "tensorflow");
    root.text("keras_version", legacy::VERSION);
    root.text("model_config", &config::from_keras_3(&model.to_config()).to_string());
    if model.outline().kind == Kind::Functional && model.parts().iter().any(|part| matches!(part, Part::Model { .. })) {
        notes.push("tf_keras numbers calls of a model in a model differently and may refuse this file; Keras 3 reads it".into());
    }
    if let Some(how) = model.compiled() {
        root.text("training_config", &training_config(model, how, &mut notes).to_string());
        if !options.optimizer_variables {
            notes.push(
                "the optimizer's state: training starts with a fresh one (Keras 3 cannot go on from a .h5; a .keras holds it)"
                    .into(),
            );
        }
    }
    legacy::write(&mut root, model, options.optimizer_variables)?;
    Ok((to_bytes(root)?, notes))
}

/// `training_config`: names where everything is as they imply, for both Keras 2 and 3 know those.
fn training_config(model: &Model, how: &Compile, notes: &mut Vec<String>) -> Value {
    let outputs = model.output_names();
    let mut value = compile::to_value(how, &outputs);
    let state = model.optimizer_state_ref();
    let mut optimizer = config::plain(&value["optimizer"]);
    if let (Some(rate), Some(state)) = (compile::learning_rate_of_mut(&mut optimizer), state) {
        let known = keras_has_schedule(&how.optimizer);
        if !known {
            notes.push("the learning-rate schedule, which Keras does not have: the rate of the moment is in the file".into());
        }
        if !known || matches!(how.optimizer.base().learning_rate, LearningRate::Constant(_)) {
            *rate = json!(state.learning_rate);
        }
    }
    if !config::portable(&mut optimizer) {
        notes.push(
            "the optimizer, for Keras 2: it does not know this one or its options (load the file with compile=False)".into(),
        );
    }
    value["loss"] = named(&value["loss"], |name, object| Loss::from_value(name).ok() == Loss::from_value(object).ok());
    value["metrics"] = named(&value["metrics"], |name, object| Metric::from_value(name).ok() == Metric::from_value(object).ok());
    if let Some(map) = value.as_object_mut() {
        map.shift_remove("optimizer");
        map.insert("optimizer_config".into(), optimizer);
    }
    value
}

/// Objects by their name where that `says_all`, in lists too.
fn named(value: &Value, says_all: impl Fn(&Value, &Value) -> bool + Copy) -> Value {
    if let Some(list) = value.as_array() {
        return list.iter().map(|inner| named(inner, says_all)).collect();
    }
    match value.pointer("/config/name").filter(|name| says_all(name, value)) {
        Some(name) => name.clone(),
        None => config::plain(value),
    }
}

/// Reads a model. `seed` draws what the file does not hold: dropout and augmentation from here on.
///
/// # Errors
/// [`Error::Io`], [`Error::Damaged`] for a file that is cut, changed or none of Keras, [`Error::NoNetwork`] for one of weights alone,
/// [`Error::Model`] for a network with layers or arguments that are not known here, [`Error::Misfit`] for weights that do not
/// belong to it.
pub fn load(path: &Path, seed: u64) -> Result<Loaded> {
    load_bytes(path, files::read(path)?, seed)
}

/// As [`load`], from the bytes of a file; `path` is the name that errors use.
///
/// # Errors
/// As [`load`].
pub fn load_bytes(path: &Path, bytes: Vec<u8>, seed: u64) -> Result<Loaded> {
    read(path, bytes, seed, true)
}

/// As [`load_bytes`], with the optimizer's slots or without.
fn read(path: &Path, bytes: Vec<u8>, seed: u64, slots: bool) -> Result<Loaded> {
    let damaged = |message: String| Error::damaged(path, message);
    let reader = Reader::open(bytes).map_err(damaged)?;
    let Some(text) = reader.text("", "model_config").map_err(damaged)? else {
        return Err(match Layout::of(&reader).map_err(damaged)? {
            Some(_) => Error::no_network(path),
            None => {
                Error::damaged(path, "an HDF5 file, but none of Keras: it has neither model_config nor layer_names nor /layers")
            }
        });
    };
    let version = reader.text("", "keras_version").ok().flatten().unwrap_or_default();
    let mut network = parse(path, "model_config", &text)?;
    modernise(&mut network).map_err(|message| Error::unsupported(path, format!("{}{message}", of_release(&version))))?;
    let mut model = Model::from_config(&network, seed).map_err(|source| match version.starts_with('1') {
        true => Error::unsupported(path, format!("{}{source}; load it with Keras 2 and save it again", of_release(&version))),
        false => Error::Model { path: path.to_path_buf(), source },
    })?;
    let mut notes = Vec::new();
    if let Some(text) = reader.text("", "training_config").map_err(damaged)? {
        let mut how = parse(path, "training_config", &text)?;
        if let Some(map) = how.as_object_mut()
            && let Some(optimizer) = map.shift_remove("optimizer_config")
        {
            map.insert("optimizer".into(), optimizer);
        }
        compile::restore(&mut model, &how, slots, &mut notes);
    }
    let values =
        read_whole(&model, &mut notes, |optimizer| read_any(&reader, &model, optimizer)).map_err(|refusal| refusal.at(path))?;
    apply(&values, &mut model).map_err(damaged)?;
    Ok(Loaded { model, extras: Vec::new(), notes })
}

fn parse(path: &Path, key: &str, text: &str) -> Result<Value> {
    check_json(key, text.len()).map_err(|message| Error::damaged(path, message))?;
    serde_json::from_str(text).map_err(|e| Error::damaged(path, format!("{key} is not JSON: {e}")))
}

fn of_release(version: &str) -> String {
    if version.is_empty() { String::new() } else { format!("a file of Keras {version}: ") }
}
