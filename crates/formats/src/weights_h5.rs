//! `*.weights.h5`: weights, and the optimizer state of a compiled model, in Keras 3's layout (`model.save_weights`).

use crate::error::{Error, Result};
use crate::files;
use crate::hdf5::Reader;
use crate::weights::{Refusal, apply, read_weights, to_bytes};
use maobi_nn::Model;
use std::path::Path;

/// Writes the weights, and the optimizer's variables when the model is compiled. The same model gives the same bytes.
///
/// # Errors
/// [`Error::Io`] when the file cannot be written, [`Error::Write`] when HDF5 cannot hold the model.
pub fn save(model: &Model, path: &Path) -> Result<()> {
    let bytes = to_bytes(model).map_err(|message| Error::write(path, message))?;
    crate::atomic_write(path, &bytes)
}

/// Reads the weights into a model of the same architecture. The optimizer state stays as it is.
///
/// # Errors
/// [`Error::Misfit`] lists every layer whose variables differ in number or shape; nothing is changed then.
pub fn load(model: &mut Model, path: &Path) -> Result<()> {
    let bytes = files::read(path)?;
    load_bytes(model, path, bytes)
}

fn load_bytes(model: &mut Model, path: &Path, bytes: Vec<u8>) -> Result<()> {
    let reader = Reader::open(bytes).map_err(|message| Error::damaged(path, message))?;
    let values = read_weights(&reader, model, false).map_err(|refusal| refuse(path, refusal))?;
    apply(&values, model).map_err(|message| Error::damaged(path, message))
}

pub(crate) fn refuse(path: &Path, refusal: Refusal) -> Error {
    match refusal {
        Refusal::Damaged(message) => Error::damaged(path, message),
        Refusal::Misfits(misfits) => Error::Misfit { path: path.to_path_buf(), misfits },
    }
}
