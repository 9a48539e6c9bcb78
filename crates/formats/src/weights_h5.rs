//! Keras' `.weights.h5`.
use crate::error::{Error, Result};
use maobi_nn::Model;
use std::path::Path;
/// Saves.
pub fn save(model: &Model, path: &Path) -> Result<()> {
    let _ = model;
    Err(Error::write(path, "not yet"))
}
/// Loads.
pub fn load(model: &mut Model, path: &Path) -> Result<()> {
    let _ = model;
    Err(Error::damaged(path, "not yet"))
}
