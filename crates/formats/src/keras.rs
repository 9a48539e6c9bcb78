//! Keras' `.keras` archive.
use crate::error::{Error, Result};
use maobi_nn::Model;
use std::path::Path;

/// What a `.keras` file held.
#[derive(Debug)]
pub struct Loaded {
    /// The model, compiled when the file says how.
    pub model: Model,
    /// Our own members.
    pub extras: Vec<(String, Vec<u8>)>,
    /// What could not be carried over, in words.
    pub notes: Vec<String>,
}
/// Saves.
pub fn save(model: &Model, path: &Path) -> Result<()> {
    save_with(model, path, &[])
}
/// Saves with extras.
pub fn save_with(model: &Model, path: &Path, extras: &[(&str, &[u8])]) -> Result<()> {
    let _ = (model, extras);
    Err(Error::write(path, "not yet"))
}
/// Loads.
pub fn load(path: &Path, seed: u64) -> Result<Loaded> {
    let _ = seed;
    Err(Error::damaged(path, "not yet"))
}
/// Loads into.
pub fn load_into(model: &mut Model, path: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let _ = model;
    Err(Error::damaged(path, "not yet"))
}
