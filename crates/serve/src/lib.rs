//! Answers over HTTP: other programs ask a network by TensorFlow Serving's REST API or the Open Inference Protocol, and people send
//! pictures.
//!
//! A [`Server`] listens; [`Models`] are what it serves, by name and version, replaced when their files change; requests of many clients
//! go through a network together ([`batcher`]). `cli` starts it as `maobi serve`.

pub mod batcher;
mod body;
mod connection;
mod cors;
#[doc(hidden)]
pub mod fuzzing;
mod host;
pub mod http;
mod lock;
mod log;
mod memory;
pub mod metrics;
mod models;
mod multipart;
mod openapi;
mod options;
mod outgoing;
mod page;
mod params;
mod pictures;
pub mod problem;
mod recognize;
mod scan;
mod served;
mod server;
mod service;
mod signals;
mod stamp;
mod tf_serving;
mod v2;
mod wire;
mod write;

pub use host::is_name;
pub use http::router;
pub use log::{Form, Log, Requests};
pub use models::{Load, ModelError, Models, NotServed, Source};
pub use options::Options;
pub use served::{Served, Tensor};
pub use server::{Asked, Server};
pub use service::Service;
pub use signals::Signal;

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
