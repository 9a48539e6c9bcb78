//! Objects with a configuration: losses, metrics, optimizers, …
//!
//! [`keras_object!`](crate::keras_object) declares one: its arguments with their defaults and ranges. The declaration makes the struct,
//! `Default`, a setter for each argument, reading and writing. A family of objects, such as the losses, has a trait for what its objects
//! do and a [`Registry`] of all of them, in which users register their own.

mod argument;
mod declare;
mod error;
mod fields;
mod form;
pub mod range;
mod registry;

pub use argument::{Argument, check_range};
pub use declare::{Declared, Object};
pub use error::ConfigError;
pub use fields::Fields;
pub(crate) use form::serde_by_value;
pub use form::{brief, number, optional_number, parse_object, same_name, to_object, to_snake_case};
/// The arguments of an object in JSON.
pub type Config = serde_json::Map<String, serde_json::Value>;
pub use crate::{objects, words};
pub(crate) use registry::handle;
pub use registry::{Entry, Registry};
