//! Files of models: Keras' `.keras` archives, `.h5`, `.weights.h5` and JSON, written for Keras 2 and 3 and read from Keras 1 to 3; and
//! weights as arrays of NumPy.
//!
//! Files are read as foreign: every size is checked before memory is set aside, and nothing that a file holds is executed.

mod archive;
mod atomic;
mod compile;
mod contract;
pub mod error;
mod files;
pub mod format;
mod guarded;
pub mod h5;
mod hdf5;
mod inference;
pub mod json;
pub mod keras;
pub mod npz;
pub mod onnx;
pub mod safetensors;
mod saved_model;
pub mod tensorflow;
mod text;
mod weights;
pub mod weights_h5;

use maobi_files::numbers;

pub use atomic::atomic_write;
pub use contract::{Format, HEAD, Loaded};
pub use error::{Error, Result};
