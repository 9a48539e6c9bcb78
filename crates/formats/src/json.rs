//! Keras' JSON of a network, `model.to_json()`, and the `config.json` of a `.keras` file by itself.

use crate::contract::{Format, Loaded, without_place};
use crate::error::{Error, Result};
use crate::files::{self, check_json};
use crate::{atomic_write, compile, h5};
use maobi_nn::Model;
use serde_json::Value;
use std::path::Path;

/// The format `json`.
pub(crate) struct Json;

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "the network alone, as Keras' to_json and model_from_json have it"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &[".json"]
    }

    fn recognises(&self, _path: &Path, head: &[u8]) -> bool {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        let rest = head.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
        rest.is_some_and(|rest| {
            [&b"\"class_name\""[..], b"\"module\"", b"\"config\"", b"\"name\""].iter().any(|key| rest.starts_with(key))
        })
    }

    fn load(&self, path: &Path, seed: u64) -> Result<Loaded> {
        load(path, seed)
    }

    fn load_weights(&self, _model: &mut Model, path: &Path) -> Result<Vec<String>> {
        Err(Error::unsupported(path, "holds the network alone, without weights; they are in a .weights.h5, .h5 or .keras file"))
    }

    fn save(&self, model: &Model, path: &Path, extras: &[(&str, &[u8])]) -> Result<Vec<String>> {
        save(model, path)?;
        let mut notes = vec!["the weights: only the network is in the file".to_string()];
        if model.compiled().is_some() {
            notes.push("how it was compiled, and the optimizer's state".into());
        }
        notes.extend(without_place(extras, "a .json file"));
        Ok(notes)
    }
}

/// Writes the network as Keras' `to_json` does, for `keras.models.model_from_json`.
///
/// # Errors
/// [`Error::Io`] when the file cannot be written.
pub fn save(model: &Model, path: &Path) -> Result<()> {
    atomic_write(path, model.to_json().as_bytes())
}

/// Reads a network of Keras 1 to 3, with weights drawn anew from `seed`.
///
/// # Errors
/// [`Error::Io`], [`Error::Damaged`] for what is no JSON, [`Error::Model`] for a network that cannot be built here.
pub fn load(path: &Path, seed: u64) -> Result<Loaded> {
    load_bytes(path, files::read(path)?, seed)
}

/// As [`load`], from the bytes of a file; `path` is the name that errors use.
///
/// # Errors
/// As [`load`].
pub fn load_bytes(path: &Path, bytes: Vec<u8>, seed: u64) -> Result<Loaded> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    check_json("the file", bytes.len()).map_err(|message| Error::damaged(path, message))?;
    let mut network: Value =
        serde_json::from_slice(bytes).map_err(|e| Error::damaged(path, format!("not JSON, or cut short: {e}")))?;
    h5::modernise(&mut network).map_err(|message| Error::unsupported(path, message))?;
    let mut model = Model::from_config(&network, seed).map_err(|source| Error::Model { path: path.to_path_buf(), source })?;
    let mut notes = vec![format!("the file holds no weights: they are drawn anew from seed {seed}")];
    if let Some(how) = network.get("compile_config") {
        compile::restore(&mut model, how, true, &mut notes);
    }
    Ok(Loaded { model, extras: Vec::new(), notes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use maobi_nn::graph::Sequential;
    use maobi_nn::layers::{Dense, InputLayer};

    #[test]
    fn a_network_comes_back_with_weights_of_the_seed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.json");
        let model = Sequential::new().add(InputLayer::new([4])).add(Dense::new(3)).build(7).unwrap();
        assert_eq!(Json.save(&model, &path, &[]).unwrap(), ["the weights: only the network is in the file"]);
        let loaded = load(&path, 7).unwrap();
        assert_eq!(loaded.model.to_json(), model.to_json());
        assert_eq!(loaded.model.weights()[0].values()[..], model.weights()[0].values()[..]);
        assert_eq!(loaded.notes, ["the file holds no weights: they are drawn anew from seed 7"]);
        assert_eq!(crate::format::detect(&path).unwrap().name(), "json");
        let text = std::fs::read(&path).unwrap();
        for cut in 0..text.len() {
            load_bytes(&path, text[..cut].to_vec(), 1).unwrap_err();
        }
    }

    #[test]
    fn what_keras_1_wrote() {
        let text = r#"{"class_name": "Sequential", "keras_version": "1.2.2", "config": [
            {"class_name": "Convolution2D", "config": {"name": "c", "batch_input_shape": [null, 8, 8, 1], "nb_filter": 3, "nb_row": 3,
             "nb_col": 5, "init": "glorot_uniform", "activation": "relu", "border_mode": "same", "subsample": [1, 2],
             "dim_ordering": "tf", "bias": false, "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.01}}},
            {"class_name": "BatchNormalization", "config": {"name": "n", "mode": 0, "axis": -1, "momentum": 0.9, "epsilon": 1e-5,
             "beta_init": "zero", "gamma_init": "one"}},
            {"class_name": "MaxPooling2D", "config": {"name": "p", "pool_size": [2, 2], "strides": [2, 2], "border_mode": "valid",
             "dim_ordering": "tf"}},
            {"class_name": "Flatten", "config": {"name": "f"}},
            {"class_name": "Dropout", "config": {"name": "d", "p": 0.25}},
            {"class_name": "Dense", "config": {"name": "o", "output_dim": 10, "activation": "softmax", "bias": true}}]}"#;
        let model = load_bytes(Path::new("m.json"), text.as_bytes().to_vec(), 1).unwrap().model;
        let shapes: Vec<Vec<usize>> = model.weights().iter().map(|w| w.shape.clone()).collect();
        assert_eq!(shapes[0], [3, 5, 1, 3]);
        assert_eq!(shapes[5..], [vec![4 * 2 * 3, 10], vec![10]]);
        assert!(model.weights()[0].regularizer.is_some());
        assert!(model.to_json().contains("\"rate\":0.25"));
        let theano = text.replacen("\"tf\"", "\"th\"", 1);
        let message = load_bytes(Path::new("m.json"), theano.into_bytes(), 1).unwrap_err().to_string();
        assert!(message.starts_with("m.json: Convolution2D: dim_ordering \"th\" (Theano's) is not read; load"), "{message}");
    }
}
