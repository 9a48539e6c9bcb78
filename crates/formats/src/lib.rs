//! Files of models: Keras' `.keras` archives and `.weights.h5`, written for Keras 3.0 to 3.15 and read from Keras 2 and 3.
//!
//! Files are read as foreign: every size is checked before memory is set aside, and nothing that a file holds is executed.

mod atomic;
pub mod error;
mod files;
mod floats;
pub mod format;
mod hdf5;
mod inference;
pub mod keras;
pub mod onnx;
pub mod safetensors;
pub mod tensorflow;
mod text;
mod weights;
pub mod weights_h5;

pub use atomic::atomic_write;
pub use error::{Error, Result};
pub use format::{Format, Loaded};
