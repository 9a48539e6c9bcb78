//! Layers, model graph, losses, metrics and optimizers of maobi.
//!
//! A network is described by [`graph::Sequential`] or by symbolic calls ([`graph::Call`]); both make a [`Model`]. [`Model::compile`]
//! adds an optimizer, losses and metrics; [`Model::train_on_batch`] and [`Model::test_on_batch`] are the steps that `maobi-train`
//! makes epochs of. Files are the business of `maobi-formats`.

pub mod activations;
mod arg_max;
pub mod constraints;
pub mod error;
mod exact;
mod exec;
pub mod graph;
mod groups;
pub mod initializers;
pub mod layers;
pub mod losses;
pub mod memory;
pub mod metrics;
pub mod model;
pub mod object;
pub mod op;
pub mod optimizers;
mod precision;
pub mod program;
pub mod regularizers;
pub mod text;

pub use error::{Error, Result};
pub use exec::{Feed, Samples};
pub use model::{Batch, Compile, Model, Program};
pub use precision::Precision;
#[doc(hidden)]
pub use serde_json;
