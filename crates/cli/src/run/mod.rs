//! Run folders and model files.

pub mod config;
pub mod folder;
pub mod model_file;
pub mod overrides;
pub mod preprocessing;
pub mod recipe_file;
pub mod steps;

pub use config::{RunConfig, RunSection};
pub use folder::RunFolder;
pub use maobi_nn::Precision;
pub use maobi_recognize::Preprocessing;
pub use model_file::{Network, OpenModel, load, locate, open, save_bare};
