//! `*.safetensors`: weights by name as raw numbers, and the network as Keras' JSON in the metadata.
//!
//! Names are `<layer>.<weight>`, such as `conv2d.kernel`; axes are in Keras' order. A file with a network in its metadata loads as a
//! whole model, any other as weights of a model that is there.

mod header;

use crate::contract::{Format, Loaded};
use crate::error::{Error, Result};
use crate::files;
use crate::text;
use crate::weights::Refusal;
use crate::weights::named::{Found, collect, put};
use header::Header;
use maobi_nn::Model;
use std::path::Path;

/// Metadata: the network as Keras' JSON.
const CONFIG: &str = "config";
/// Metadata: how axes are ordered.
const LAYOUT: &str = "Keras: channels last; kernels [height, width, in, out], dense kernels [in, out]";

/// The format `safetensors`.
pub(crate) struct Safetensors;

impl Format for Safetensors {
    fn name(&self) -> &'static str {
        "safetensors"
    }

    fn about(&self) -> &'static str {
        "raw weights by name, with the network in the metadata; read by Hugging Face's library, candle, PyTorch"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &[".safetensors"]
    }

    fn recognises(&self, path: &Path, head: &[u8]) -> bool {
        // The length of a header below 100 MB, then JSON.
        let content = head.first_chunk::<9>().is_some_and(|head| head[4..8] == [0; 4] && head[8] == b'{');
        content || path.extension().is_some_and(|e| e.eq_ignore_ascii_case("safetensors"))
    }

    fn load(&self, path: &Path, seed: u64) -> Result<Loaded> {
        load_bytes(path, &files::read(path)?, seed)
    }

    fn load_weights(&self, model: &mut Model, path: &Path) -> Result<Vec<String>> {
        load_weights_bytes(model, path, &files::read(path)?)
    }

    fn save(&self, model: &Model, path: &Path, extras: &[(&str, &[u8])]) -> Result<Vec<String>> {
        let bytes = to_bytes(model, extras).map_err(|message| Error::write(path, message))?;
        crate::atomic_write(path, &bytes)?;
        let compiled = model.compiled().is_some();
        Ok(compiled
            .then(|| "optimizer, losses and metrics: the file holds network and weights alone".to_string())
            .into_iter()
            .collect())
    }
}

/// The bytes of a file; the same model gives the same bytes.
fn to_bytes(model: &Model, extras: &[(&str, &[u8])]) -> Result<Vec<u8>, String> {
    let mut metadata = vec![
        ("format".to_string(), "keras".to_string()),
        ("layout".to_string(), LAYOUT.to_string()),
        ("maobi_version".to_string(), env!("CARGO_PKG_VERSION").to_string()),
        (CONFIG.to_string(), model.to_json()),
    ];
    metadata.extend(extras.iter().map(|(name, bytes)| (format!("{}{name}", text::EXTRA), text::from_bytes(bytes))));
    let graph = model.graph();
    let weights = (0..graph.layers.len()).flat_map(|layer| model.layer_weights(layer).iter().map(move |weight| (layer, weight)));
    let values: Vec<_> = weights.map(|(layer, weight)| (layer, weight, weight.values())).collect();
    let tensors: Vec<(String, &[usize], &[f32])> = values
        .iter()
        .map(|(layer, weight, values)| (name(&graph.layers[*layer].name, weight.name), &weight.shape[..], &values[..]))
        .collect();
    header::write(&metadata, &tensors)
}

/// The name of a weight in the file.
fn name(layer: &str, weight: &str) -> String {
    format!("{layer}.{weight}")
}

/// Reads a whole model from the bytes of a file; `path` is the name that errors use.
///
/// # Errors
/// [`Error::NoNetwork`] for a file without a network, [`Error::Damaged`], [`Error::Model`], [`Error::Misfit`].
pub fn load_bytes(path: &Path, bytes: &[u8], seed: u64) -> Result<Loaded> {
    let header = Header::parse(bytes).map_err(|message| Error::damaged(path, message))?;
    let Some((_, config)) = header.metadata.iter().find(|(key, _)| key == CONFIG) else {
        return Err(Error::no_network(path));
    };
    let mut model = Model::from_json(config, seed).map_err(|source| Error::Model { path: path.to_path_buf(), source })?;
    let notes = fill(&mut model, &header, bytes).map_err(|refusal| refusal.at(path))?;
    let extras =
        header.metadata.iter().filter_map(|(key, text)| Some((key.strip_prefix(text::EXTRA)?.to_string(), text::to_bytes(text))));
    Ok(Loaded { model, extras: extras.collect(), notes })
}

/// Reads weights from the bytes of a file into a model; `path` is the name that errors use. Returns what was left aside.
///
/// # Errors
/// [`Error::Damaged`], [`Error::Misfit`]; nothing is changed then.
pub fn load_weights_bytes(model: &mut Model, path: &Path, bytes: &[u8]) -> Result<Vec<String>> {
    let header = Header::parse(bytes).map_err(|message| Error::damaged(path, message))?;
    fill(model, &header, bytes).map_err(|refusal| refusal.at(path))
}

fn fill(model: &mut Model, header: &Header, bytes: &[u8]) -> std::result::Result<Vec<String>, Refusal> {
    let mut used = 0;
    let values = collect(model, |wanted| {
        let at = name(wanted.layer_name, wanted.weight.name);
        let Some(tensor) = header.tensors.get(&at) else { return Ok(None) };
        used += 1;
        let read = move || {
            let float = tensor
                .float()
                .ok_or_else(|| format!("{}: not a type of weights here; F16, BF16, F32 and F64 are", tensor.dtype))?;
            Ok(float.to_f32(bytes.get(tensor.bytes.clone()).unwrap_or_default()))
        };
        let named = format!("tensor \"{at}\"");
        Ok(Some(Found { at: named, shape: tensor.shape.clone(), read: Box::new(read) }))
    })?;
    put(model, &values);
    let left = header.tensors.len() - used;
    Ok((left > 0).then(|| format!("{left} tensors of the file belong to no layer of the model")).into_iter().collect())
}

#[cfg(test)]
mod tests;
