//! An ONNX network as a model of this library's layers.
//!
//! Read are the networks that PyTorch (both exporters), Keras (`model.export`, tf2onnx) and this library write. Nodes become layers
//! one by one; a bias or an activation that only follows one layer becomes its argument. Images lie channels last here whatever they
//! do in the file: kernels are turned, and what follows a Flatten has its rows sorted (`order.rs`).

mod attributes;
mod build;
mod constant;
mod elementwise;
mod external;
mod fold;
mod gates;
mod merge;
mod network;
mod order;
mod shapes;
mod value;
mod windows;

use super::{guard, proto};
use crate::contract::Loaded;
use crate::error::{Error, Result};
use crate::text;
use maobi_nn::Model;
use network::Network;
use prost::Message;
use std::path::Path;

/// Operator sets whose meaning is known here.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=26;

/// Why a file does not become a model.
#[derive(Debug)]
pub(super) enum Problem {
    /// What it holds is no network, or damaged.
    Damaged(String),
    /// It holds something that no layer here does.
    Unsupported(String),
    /// A layer refuses its arguments.
    Model(maobi_nn::Error),
}

impl From<maobi_nn::Error> for Problem {
    fn from(error: maobi_nn::Error) -> Problem {
        Problem::Model(error)
    }
}

/// Reads a network from the bytes of a file; `path` is the name that errors use, and beside it lie other files with weights, if any.
///
/// # Errors
/// [`Error::Damaged`]; [`Error::Unsupported`] names node and operator, and the operators that are read; [`Error::Model`].
pub fn load_bytes(path: &Path, bytes: &[u8], seed: u64) -> Result<Loaded> {
    let problem = |problem: Problem| match problem {
        Problem::Damaged(message) => Error::damaged(path, message),
        Problem::Unsupported(message) => Error::unsupported(path, message),
        Problem::Model(source) => Error::Model { path: path.to_path_buf(), source },
    };
    let file = parse(bytes).map_err(problem)?;
    let (model, notes) = model(&file, path.parent(), seed).map_err(problem)?;
    let extras =
        file.metadata_props.iter().filter_map(|e| Some((e.key.strip_prefix(text::EXTRA)?.to_string(), text::to_bytes(&e.value))));
    Ok(Loaded { model, extras: extras.collect(), notes })
}

fn parse(bytes: &[u8]) -> std::result::Result<proto::Model, Problem> {
    guard::check(bytes).map_err(Problem::Damaged)?;
    proto::Model::decode(bytes).map_err(|e| Problem::Damaged(format!("no ONNX file, damaged or cut short: {e}")))
}

fn model(file: &proto::Model, folder: Option<&Path>, seed: u64) -> std::result::Result<(Model, Vec<String>), Problem> {
    let graph = file.graph.as_ref().ok_or_else(|| Problem::Damaged("no graph in it: no ONNX file of a network".into()))?;
    let opset = file.opset_import.iter().find(|set| matches!(set.domain.as_str(), "" | "ai.onnx")).and_then(|set| set.version);
    let opset = opset.ok_or_else(|| Problem::Damaged("does not say which operator set it uses".into()))?;
    if !OPSETS.contains(&opset) {
        let message = format!(
            "operator set {opset}; {} to {} are read. Export again with one of them, such as 17",
            OPSETS.start(),
            OPSETS.end()
        );
        return Err(Problem::Unsupported(message));
    }
    let folder = folder.map(|f| if f.as_os_str().is_empty() { Path::new(".") } else { f });
    let mut network = Network::new(graph, opset, file.producer_name == proto::PRODUCER, folder)?;
    network.inputs()?;
    network.nodes()?;
    network.finish(seed)
}

#[cfg(test)]
mod tests;
