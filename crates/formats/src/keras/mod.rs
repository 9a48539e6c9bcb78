//! Keras' `.keras` archive: `metadata.json`, `config.json` and `model.weights.h5` in a ZIP file.
//!
//! What is written loads in Keras 3.0 to 3.15; what is read may come from Keras 3 or from Keras 2 (`tf_keras`).

use crate::archive::{self, Archive};
use crate::atomic_write;
use crate::compile;
use crate::contract::{Format, Loaded};
use crate::error::{Error, Result};
use crate::files::{self, check_json};
use crate::hdf5::Reader;
use crate::weights::{apply, keras_has_schedule, read_weights, read_whole, to_bytes};
use maobi_nn::Model;
use serde_json::{Value, json};
use std::path::Path;

/// Keras' release whose layout is written.
pub(crate) const KERAS_VERSION: &str = "3.8.0";
const METADATA: &str = "metadata.json";
const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.weights.h5";
/// Key of our own additions to config.json.
const OWN: &str = "maobi";
/// What errors call such a file.
const KIND: &str = "a .keras";
/// Folder of our own members.
const EXTRAS: &str = "maobi/";

/// The format `keras`.
pub(crate) struct Keras;

impl Format for Keras {
    fn name(&self) -> &'static str {
        "keras"
    }

    fn about(&self) -> &'static str {
        "Keras 3's archive: network, weights, optimizer; training can go on"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &[".keras"]
    }

    fn recognises(&self, _path: &Path, head: &[u8]) -> bool {
        head.starts_with(b"PK\x03\x04") && !crate::npz::starts_with_array(head)
    }

    fn load(&self, path: &Path, seed: u64) -> Result<Loaded> {
        load(path, seed)
    }

    fn load_without_slots(&self, path: &Path, seed: u64) -> Result<Loaded> {
        read(path, files::read(path)?, seed, false)
    }

    fn load_weights(&self, model: &mut Model, path: &Path) -> Result<Vec<String>> {
        load_into(model, path).map(|_| Vec::new())
    }

    fn keeps_slots(&self) -> bool {
        true
    }

    fn save(&self, model: &Model, path: &Path, extras: &[(&str, &[u8])]) -> Result<Vec<String>> {
        save_with(model, path, extras).map(|()| Vec::new())
    }
}

/// Writes a model: architecture, weights, and when it is compiled, how, with the optimizer's variables.
///
/// The same model gives the same bytes: no clock enters the file.
///
/// # Errors
/// [`Error::Io`] when the file cannot be written, [`Error::Write`] when it cannot hold the model.
pub fn save(model: &Model, path: &Path) -> Result<()> {
    save_with(model, path, &[])
}

/// As [`save`], with members of our own under `maobi/`, which Keras passes over. A name is made of letters, digits, `.`, `_` and `-`.
///
/// # Errors
/// As [`save`]; [`Error::Write`] also for a bad or repeated name.
pub fn save_with(model: &Model, path: &Path, extras: &[(&str, &[u8])]) -> Result<()> {
    atomic_write(path, &to_archive(model, extras).map_err(|message| Error::write(path, message))?)
}

fn to_archive(model: &Model, extras: &[(&str, &[u8])]) -> Result<Vec<u8>, String> {
    let mut config = model.to_config();
    if let Some(how) = model.compiled() {
        config["compile_config"] = compile::to_value(how, &model.output_names());
        if let (false, Some(state)) = (keras_has_schedule(&how.optimizer), model.optimizer_state_ref()) {
            // Keras gets the rate of the moment; ours is beside, where it does not look.
            if let Some(rate) = compile::learning_rate_mut(&mut config) {
                let schedule = std::mem::replace(rate, json!(state.learning_rate));
                config[OWN] = json!({ "learning_rate": schedule });
            }
        }
    }
    let metadata = json!({ "keras_version": KERAS_VERSION, "date_saved": "1980-01-01@00:00:00" });
    let mut members = vec![
        (METADATA.to_string(), metadata.to_string().into_bytes()),
        (CONFIG.to_string(), config.to_string().into_bytes()),
        (WEIGHTS.to_string(), to_bytes(model)?),
    ];
    for (name, bytes) in extras {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || !name.chars().all(plain) || name.starts_with('.') {
            return Err(format!(
                "extra \"{name}\": a name of letters, digits, '.', '_' and '-' is expected, not starting with '.'"
            ));
        }
        if extras.iter().filter(|(other, _)| other == name).count() > 1 {
            return Err(format!("extra \"{name}\" is given twice"));
        }
        members.push((format!("{EXTRAS}{name}"), bytes.to_vec()));
    }
    archive::write(&members)
}

/// Reads a model. `seed` draws what the file does not hold: dropout and augmentation from here on.
///
/// # Errors
/// [`Error::Io`], [`Error::Damaged`] for a file that is cut, changed or no `.keras` file, [`Error::Model`] for a network with
/// layers or arguments that are not known here, [`Error::Misfit`] for weights that do not belong to it.
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
    let mut archive = Archive::open(path, bytes, KIND)?;
    let config = config(path, &mut archive)?;
    let mut model = Model::from_config(&config, seed).map_err(|source| Error::Model { path: path.to_path_buf(), source })?;
    let mut notes = Vec::new();
    if let Some(value) = config.get("compile_config") {
        compile::restore(&mut model, value, slots, &mut notes);
    }
    let (weights, extras) = (archive.take(WEIGHTS)?, archive.extras(EXTRAS)?);
    // As large as the weights, and read to its end.
    drop(archive);
    let reader = Reader::open(weights).map_err(|m| Error::damaged(path, format!("{WEIGHTS}: {m}")))?;
    let values = read_whole(&model, &mut notes, |optimizer| read_weights(&reader, &model, optimizer))
        .map_err(|refusal| refusal.within(WEIGHTS).at(path))?;
    apply(&values, &mut model).map_err(|m| Error::damaged(path, format!("{WEIGHTS}: {m}")))?;
    Ok(Loaded { model, extras, notes })
}

/// Reads weights into a model of the same architecture, and the optimizer's variables when the model is compiled with the same
/// class of optimizer as the file's. Returns our own members, as in [`Loaded::extras`].
///
/// # Errors
/// As [`load`]; [`Error::Misfit`] lists all differences. Nothing is changed on failure.
pub fn load_into(model: &mut Model, path: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut archive = Archive::open(path, files::read(path)?, KIND)?;
    let config = config(path, &mut archive)?;
    let class = config.get("compile_config").and_then(|c| c.get("optimizer")).and_then(compile::optimizer_class);
    let same = class.is_some() && class == model.compiled().map(|how| how.optimizer.class_name());
    let reader = Reader::open(archive.take(WEIGHTS)?).map_err(|m| Error::damaged(path, format!("{WEIGHTS}: {m}")))?;
    let values = read_weights(&reader, model, same).map_err(|refusal| refusal.within(WEIGHTS).at(path))?;
    let extras = archive.extras(EXTRAS)?;
    apply(&values, model).map_err(|m| Error::damaged(path, format!("{WEIGHTS}: {m}")))?;
    Ok(extras)
}

/// Reads our own members alone, as in [`Loaded::extras`].
///
/// # Errors
/// [`Error::Io`], [`Error::Damaged`] for a file that is cut, changed or not a `.keras` file.
pub fn read_extras(path: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    Archive::open(path, files::read(path)?, KIND)?.extras(EXTRAS)
}

fn config(path: &Path, archive: &mut Archive) -> Result<Value> {
    let bytes = archive.take(CONFIG)?;
    check_json(CONFIG, bytes.len()).map_err(|message| Error::damaged(path, message))?;
    let mut config: Value =
        serde_json::from_slice(&bytes).map_err(|e| Error::damaged(path, format!("{CONFIG} is not JSON: {e}")))?;
    if let Some(schedule) = config.get(OWN).and_then(|own| own.get("learning_rate")).cloned()
        && let Some(rate) = compile::learning_rate_mut(&mut config)
    {
        *rate = schedule;
    }
    Ok(config)
}

#[cfg(test)]
mod tests;
