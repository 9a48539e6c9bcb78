//! What can be wrong with a configuration.

use crate::text::did_you_mean;

/// What is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// No object of that name.
    #[error("unknown {kind} \"{name}\"{}; known: {known}", did_you_mean(name, known.split(", ")))]
    UnknownName {
        /// What was being read, such as "optimizer".
        kind: &'static str,
        /// The name that was given.
        name: String,
        /// The names that exist, comma separated.
        known: String,
    },
    /// The object has no such argument.
    #[error("{class}: unknown key \"{key}\"{}; known: {known}", did_you_mean(key, known.split(", ")))]
    UnknownKey {
        /// The object's class name.
        class: String,
        /// The key that was given.
        key: String,
        /// The keys that exist, comma separated.
        known: String,
    },
    /// A required argument is absent.
    #[error("{class}: key \"{key}\" is missing; expected {expected}")]
    MissingKey {
        /// The object's class name.
        class: String,
        /// The absent key.
        key: &'static str,
        /// What it should hold.
        expected: String,
    },
    /// An argument has the wrong kind or lies outside its range.
    #[error("{class}: {key} must be {expected}, got {got}")]
    BadValue {
        /// The object's class name.
        class: String,
        /// The argument.
        key: String,
        /// What it should be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// Arguments that exclude each other.
    #[error("{class}: {message}")]
    Conflict {
        /// The object's class name.
        class: String,
        /// Which arguments, and what to do.
        message: String,
    },
    /// Neither a name nor an object.
    #[error("{kind}: expected a name, a Keras object with \"class_name\" or a table with \"type\", got {got}")]
    NotAnObject {
        /// What was being read.
        kind: &'static str,
        /// What came instead.
        got: String,
    },
}

impl ConfigError {
    /// A [`ConfigError::BadValue`] from anything printable.
    pub fn bad_value(class: &str, key: &str, expected: impl Into<String>, got: impl std::fmt::Display) -> ConfigError {
        ConfigError::BadValue { class: class.into(), key: key.into(), expected: expected.into(), got: got.to_string() }
    }

    /// A [`ConfigError::UnknownName`] that lists `known`.
    pub fn unknown_name<'a>(kind: &'static str, name: &str, known: impl IntoIterator<Item = &'a str>) -> ConfigError {
        let known: Vec<&str> = known.into_iter().collect();
        ConfigError::UnknownName { kind, name: name.into(), known: known.join(", ") }
    }
}
