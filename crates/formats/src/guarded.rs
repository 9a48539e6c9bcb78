//! What stands around every reader: a panic of a parser is an error, and a network that no memory is left for is refused.

use crate::contract::{Format, Loaded};
use crate::error::{Error, Result};
use maobi_nn::Model;
use std::path::Path;

/// A format whose readers are guarded.
pub(crate) struct Guarded<F>(pub(crate) F);

impl<F: Format> Format for Guarded<F> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn about(&self) -> &'static str {
        self.0.about()
    }

    fn extensions(&self) -> &'static [&'static str] {
        self.0.extensions()
    }

    fn recognises(&self, path: &Path, head: &[u8]) -> bool {
        maobi_guard::guard(|| self.0.recognises(path, head)).unwrap_or(false)
    }

    fn load(&self, path: &Path, seed: u64) -> Result<Loaded> {
        guarded(path, || self.0.load(path, seed)).and_then(|loaded| runnable(path, loaded))
    }

    fn load_without_slots(&self, path: &Path, seed: u64) -> Result<Loaded> {
        guarded(path, || self.0.load_without_slots(path, seed)).and_then(|loaded| runnable(path, loaded))
    }

    fn load_weights(&self, model: &mut Model, path: &Path) -> Result<Vec<String>> {
        guarded(path, || self.0.load_weights(model, path))
    }

    fn keeps_slots(&self) -> bool {
        self.0.keeps_slots()
    }

    fn save(&self, model: &Model, path: &Path, extras: &[(&str, &[u8])]) -> Result<Vec<String>> {
        self.0.save(model, path, extras)
    }
}

/// Runs a reader of `path`; a panic in it becomes an error that names the file.
fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T>) -> Result<T> {
    maobi_guard::guard(read).unwrap_or_else(|panicked| Err(Error::damaged(path, panicked.to_string())))
}

/// An error for a model that could not see one sample: the weights are there, but the values between the layers would not fit.
fn runnable(path: &Path, loaded: Loaded) -> Result<Loaded> {
    match loaded.model.check_memory(1, false) {
        Ok(()) => Ok(loaded),
        Err(source) => Err(Error::Model { path: path.to_path_buf(), source }),
    }
}
