//! Run folders and model files.

mod aside;
pub mod claim;
pub mod config;
pub mod finished;
pub mod folder;
mod lock;
pub mod model_argument;
pub mod model_file;
pub mod overrides;
mod owner;
pub mod preprocessing;
pub mod recipe_file;
mod section;
pub mod steps;
pub mod written;

pub use claim::Claim;
pub use config::RunConfig;
pub use folder::RunFolder;
pub use maobi_nn::Precision;
pub use maobi_recognize::Preprocessing;
pub use model_argument::{ModelArgument, RequiredModel};
pub use model_file::{Network, OpenModel, load, locate, open, save_bare};
pub use section::RunSection;
pub use written::Written;
