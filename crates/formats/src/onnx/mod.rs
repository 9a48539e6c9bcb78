//! `*.onnx`: a network as ONNX operations, for inference.
//!
//! Written for ONNX Runtime and its like: operator set 17, `[batch, height, width, channels]` in, the batch axis free. Read from
//! PyTorch, Keras and ourselves, as far as layers of this library do the same.

mod export;
mod proto;

use crate::error::{Error, Result};
use crate::format::{Format, Loaded};
use maobi_nn::Model;
use std::path::Path;

/// Who writes: tells our own files.
const PRODUCER: &str = "maobi";
/// Metadata: what comes before the name of an extra.
const EXTRA: &str = "maobi/";

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

    fn load(&self, path: &Path, _seed: u64) -> Result<Loaded> {
        Err(Error::unsupported(path, "reading ONNX is not there yet"))
    }

    fn load_weights(&self, _model: &mut Model, path: &Path) -> Result<Vec<String>> {
        Err(Error::unsupported(path, "reading ONNX is not there yet"))
    }

    fn save(&self, model: &Model, path: &Path, extras: &[(&str, &[u8])]) -> Result<Vec<String>> {
        let (bytes, notes) = export::to_bytes(model, extras).map_err(|message| Error::write(path, message))?;
        crate::atomic_write(path, &bytes)?;
        Ok(notes)
    }
}
