//! What can go wrong when a network is described, built, compiled or run.

use crate::object::ConfigError;
use std::fmt;

/// Everything this crate reports. Messages name the layer or argument, what was expected and what came.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A layer refuses its arguments or its input.
    #[error("layer \"{layer}\" ({class}): {message}")]
    Layer {
        /// Name of the layer in the model.
        layer: String,
        /// Keras class name.
        class: String,
        /// What was expected, what came, what to do.
        message: String,
    },
    /// A configuration (JSON or TOML) that does not describe a network.
    #[error("{0}")]
    Config(String),
    /// An optimizer, loss, metric, initializer or regularizer with arguments it cannot have.
    #[error(transparent)]
    Object(#[from] ConfigError),
    /// Targets that do not fit a loss or metric.
    #[error(transparent)]
    Target(#[from] crate::losses::LossError),
    /// Layers that do not connect to a model.
    #[error("model \"{model}\": {message}")]
    Graph {
        /// Name of the model.
        model: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// Data that does not fit the model.
    #[error("{what}: expected {expected}, got {got}")]
    Data {
        /// Which input, target or argument.
        what: String,
        /// What would have fitted.
        expected: String,
        /// What came.
        got: String,
    },
    /// A weight, or something that the optimizer keeps, that is NaN or infinite.
    #[error("{what} holds {value} (value {} of {len})", index + 1)]
    NotFinite {
        /// Which weight of which layer, or which variable of the optimizer.
        what: String,
        /// The first such value.
        value: f32,
        /// Its place, from 0.
        index: usize,
        /// The number of values.
        len: usize,
    },
    /// A training call on a model without optimizer and loss.
    #[error("the model is not compiled: call compile with an optimizer and a loss before {0}")]
    NotCompiled(&'static str),
    /// A training call on a model whose optimizer state was not read.
    #[error(
        "the model was read to predict and evaluate, without the optimizer's state: read it whole to train it, or compile it anew"
    )]
    WithoutOptimizer,
}

/// The message, so that a `main` that returns the error prints a sentence.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error {
    pub(crate) fn data(what: impl Into<String>, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Error::Data { what: what.into(), expected: expected.into(), got: got.into() }
    }

    pub(crate) fn graph(model: impl Into<String>, message: impl Into<String>) -> Self {
        Error::Graph { model: model.into(), message: message.into() }
    }
}

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
