//! Which of Keras' layouts an HDF5 file has: its content tells, names of files do not.

use super::Reader;
use std::path::Path;

/// A layout of Keras' HDF5 files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Keras 3's weights: `layers/<slot>/vars/<n>`.
    Weights,
    /// The `.h5` of Keras 1 to 3: `layer_names`, `weight_names`, and a whole model's `model_config`.
    Legacy,
}

impl Layout {
    /// The layout of an open file; `None` for what is no file of Keras.
    pub(crate) fn of(reader: &Reader) -> Result<Option<Layout>, String> {
        if reader.has_attribute("", "model_config")?
            || reader.has_attribute("", "layer_names")?
            || reader.has_attribute("", "layer_names0")?
            || reader.has_group("model_weights")?
        {
            return Ok(Some(Layout::Legacy));
        }
        Ok(reader.has_group("layers")?.then_some(Layout::Weights))
    }
}

/// The layout of a file; `None` also where it cannot be read.
pub(crate) fn layout_of(path: &Path) -> Option<Layout> {
    Layout::of(&Reader::streaming(path).ok()?).ok()?
}
