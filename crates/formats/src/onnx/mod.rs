//! `*.onnx`: a network as ONNX operations, for inference.
//!
//! Written for ONNX Runtime and its like: operator set 17, `[batch, height, width, channels]` in, the batch axis free. Read from
//! PyTorch, Keras and ourselves, as far as layers of this library do the same.

mod export;
mod guard;
mod import;
mod proto;

use crate::contract::{Format, Loaded};
use crate::error::{Error, Result};
use crate::files;
use crate::weights::named::{Found, collect, put};
use maobi_nn::Model;
use std::path::Path;

pub use import::load_bytes;

/// The format `onnx`.
pub(crate) struct Onnx;

impl Format for Onnx {
    fn name(&self) -> &'static str {
        "onnx"
    }

    fn about(&self) -> &'static str {
        "ONNX (operator set 17) for inference: ONNX Runtime, OpenVINO, browsers; read from PyTorch and Keras too"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &[".onnx"]
    }

    fn recognises(&self, path: &Path, _head: &[u8]) -> bool {
        // A protocol buffer begins with nothing of its own.
        path.is_file() && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("onnx"))
    }

    fn load(&self, path: &Path, seed: u64) -> Result<Loaded> {
        import::load_bytes(path, &files::read(path)?, seed)
    }

    fn load_weights(&self, model: &mut Model, path: &Path) -> Result<Vec<String>> {
        load_weights(model, path)
    }

    fn save(&self, model: &Model, path: &Path, extras: &[(&str, &[u8])]) -> Result<Vec<String>> {
        let (bytes, notes) = export::to_bytes(model, extras).map_err(|message| Error::write(path, message))?;
        crate::atomic_write(path, &bytes)?;
        Ok(notes)
    }
}

/// Takes the weights of a file's layers that have the model's names and shapes.
fn load_weights(model: &mut Model, path: &Path) -> Result<Vec<String>> {
    let loaded = import::load_bytes(path, &files::read(path)?, 0)?;
    let theirs = &loaded.model;
    let values = collect(model, |wanted| {
        let layer = theirs.graph().layers.iter().position(|layer| layer.name == wanted.layer_name);
        let weights = layer.map(|layer| theirs.layer_weights(layer)).unwrap_or_default();
        let weight = weights.iter().find(|weight| weight.name == wanted.weight.name);
        Ok(weight.map(|weight| Found {
            at: format!("weight \"{}\"", weight.path),
            shape: weight.shape.clone(),
            read: Box::new(|| Ok(weight.values().to_vec())),
        }))
    });
    let values = values.map_err(|refusal| refusal.at(path))?;
    put(model, &values);
    Ok(loaded.notes)
}
