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
mod log;
mod memory;
pub mod metrics;
mod models;
mod multipart;
mod openapi;
mod options;
mod outgoing;
mod page;
mod pictures;
pub mod problem;
mod recognize;
mod scan;
mod served;
mod server;
mod signals;
mod stamp;
mod tf_serving;
mod v2;
mod wire;
mod write;

pub use host::is_name;
pub use http::{Service, router};
pub use log::{Form, Log, Requests};
pub use models::{Load, ModelError, Models, NotServed, Source};
pub use options::Options;
pub use served::{Served, Tensor};
pub use server::{Asked, Server};
pub use signals::Signal;

/// A lock, whoever panicked while he had it: what it guards is whole after every statement.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
