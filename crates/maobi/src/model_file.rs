//! Saving and loading as methods of a model.

use crate::Result;
use maobi_formats::format::{by_extension, detect};
use maobi_nn::Model;
use std::path::Path;

/// Keras' `save`, `save_weights`, `load_weights` and `load_model`, in any format that is known: see [`maobi_formats::format`].
pub trait ModelFile: Sized {
    /// Writes the model in the format that the file's name says: `.keras` (all of it, for Keras 3 too), `.h5`, `.onnx`,
    /// `.safetensors`, ….
    ///
    /// Weights are written as they are, NaN and infinity too; [`Model::check_finite`] tells.
    ///
    /// # Errors
    /// When the name says no format, or the file cannot be written; what stood there before is kept.
    fn save(&self, path: impl AsRef<Path>) -> Result<()>;
    /// Writes the weights as the file's name says: `.weights.h5`, `.h5` (the layout of Keras 2), a TensorFlow checkpoint `.ckpt`,
    /// `.safetensors`, `.npz`.
    ///
    /// # Errors
    /// As [`ModelFile::save`].
    fn save_weights(&self, path: impl AsRef<Path>) -> Result<()>;
    /// Reads a model: architecture, weights, and when it was compiled, losses, metrics and the optimizer with its state where the
    /// format holds it. What the file is, its content says.
    ///
    /// # Errors
    /// When it is no such file, is damaged, holds weights alone, or something this program does not know.
    fn load(path: impl AsRef<Path>) -> Result<Self>;
    /// Reads the weights of any such file into this model.
    ///
    /// # Errors
    /// When names or shapes differ (all that do are listed); the model is unchanged then.
    fn load_weights(&mut self, path: impl AsRef<Path>) -> Result<()>;
}

impl ModelFile for Model {
    fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        by_extension(path.as_ref())?.save(self, path.as_ref(), &[])?;
        Ok(())
    }

    fn save_weights(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        // Keras 2 writes weights alone to a file that ends in .h5; `.weights.h5` is Keras 3's.
        match by_extension(path)?.name() {
            "h5" => Ok(maobi_formats::h5::save_weights(self, path)?),
            _ => self.save(path),
        }
    }

    fn load(path: impl AsRef<Path>) -> Result<Self> {
        // The seed only draws initial weights, which the file's replace.
        Ok(detect(path.as_ref())?.load(path.as_ref(), 0)?.model)
    }

    fn load_weights(&mut self, path: impl AsRef<Path>) -> Result<()> {
        detect(path.as_ref())?.load_weights(self, path.as_ref())?;
        Ok(())
    }
}
