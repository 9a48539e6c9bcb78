//! Saving and loading as methods of a model.

use crate::Result;
use maobi_formats::{keras, weights_h5};
use maobi_nn::Model;
use std::path::Path;

/// Keras' `save`, `save_weights`, `load_weights` and `load_model`, by the file's extension.
pub trait ModelFile: Sized {
    /// Writes the whole model, optimizer included, as a `.keras` file that Keras 3 loads too.
    ///
    /// # Errors
    /// When the file cannot be written; what stood there before is kept.
    fn save(&self, path: impl AsRef<Path>) -> Result<()>;
    /// Writes the weights as a `.weights.h5` file.
    ///
    /// # Errors
    /// As [`ModelFile::save`].
    fn save_weights(&self, path: impl AsRef<Path>) -> Result<()>;
    /// Reads a `.keras` file: architecture, weights, and when it was compiled, losses, metrics and the optimizer with its state.
    ///
    /// # Errors
    /// When it is no such file, is damaged, or holds something this program does not know.
    fn load(path: impl AsRef<Path>) -> Result<Self>;
    /// Reads the weights of a `.weights.h5` or `.keras` file into this model.
    ///
    /// # Errors
    /// When names or shapes differ (all that do are listed); the model is unchanged then.
    fn load_weights(&mut self, path: impl AsRef<Path>) -> Result<()>;
}

impl ModelFile for Model {
    fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        Ok(keras::save(self, path.as_ref())?)
    }

    fn save_weights(&self, path: impl AsRef<Path>) -> Result<()> {
        Ok(weights_h5::save(self, path.as_ref())?)
    }

    fn load(path: impl AsRef<Path>) -> Result<Self> {
        // The seed only draws initial weights, which the file's replace.
        Ok(keras::load(path.as_ref(), 0)?.model)
    }

    fn load_weights(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("keras")) {
            keras::load_into(self, path)?;
            return Ok(());
        }
        Ok(weights_h5::load(self, path)?)
    }
}
