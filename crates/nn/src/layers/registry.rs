//! Layers by their class names, as files and recipes have them.

use super::{LAYERS, Layer};
use crate::error::Error;
use crate::object::{Config, ConfigError, Declared, Entry, Fields};
use crate::precision::Precision;
use crate::text::did_you_mean;
use serde_json::Value;

/// Keys that Keras writes for every layer or that later releases added and that change nothing at their default.
const COMMON_KEYS: &[&str] = &["name", "trainable", "dtype", "batch_input_shape", "batch_shape"];

/// The class names that [`from_config`] knows.
pub fn known() -> Vec<&'static str> {
    LAYERS.names()
}

/// Makes a layer of your own known: files and recipes then find it by its class name.
pub fn register_layer<L: Layer + Declared>() {
    LAYERS.register(Entry::of::<L>(|fields| Ok(Box::new(L::read(fields)?))));
}

/// Whether keys that this program does not know are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownKeys {
    /// A recipe: a key nobody knows is a typing error.
    Refuse,
    /// A file of another Keras release: keys may have come since.
    Ignore,
}

/// Makes a layer from Keras' class name and config.
///
/// # Errors
/// An unknown class lists the known ones; a bad argument is named with what was expected.
pub fn from_config(class: &str, config: &Config, unknown: UnknownKeys) -> Result<Box<dyn Layer>, Error> {
    let name = config.get("name").and_then(Value::as_str).map(str::to_string);
    let error = |message: String| Error::Layer {
        layer: name.clone().unwrap_or_else(|| "unnamed".into()),
        class: class.to_string(),
        message,
    };
    // Keras 2 writes classes of users with their package: "Custom>Scale".
    let class = class.rsplit_once('>').map_or(class, |(_, class)| class);
    let Some(entry) = LAYERS.entries().into_iter().find(|entry| entry.class_name() == class) else {
        return Err(error(format!("no such layer here{}; known are {}", did_you_mean(class, known()), known().join(", "))));
    };
    let mut own = config.clone();
    own.retain(|key, _| entry.keys().contains(&key.as_str()) || !COMMON_KEYS.contains(&key.as_str()));
    if unknown == UnknownKeys::Refuse
        && let Some(key) = own.keys().find(|key| !entry.keys().contains(&key.as_str()))
    {
        return Err(error(format!(
            "unknown argument \"{key}\"{}; known are {}",
            did_you_mean(key, entry.keys().iter().copied()),
            entry.keys().join(", ")
        )));
    }
    let mut layer = entry.read(&mut Fields::new(class, own)).map_err(|e| error(message(&e)))?;
    // A file's other dtypes (pure float16, integers of an input) are read as f32, as their weights are; a recipe should know better.
    let precision = config.get("dtype").filter(|v| !v.is_null() && !layer.is_input()).map(Precision::from_value);
    let precision = match (precision, unknown) {
        (Some(Err(message)), UnknownKeys::Refuse) => return Err(error(message)),
        (precision, _) => precision.and_then(Result::ok),
    };
    let base = layer.base_mut();
    base.name = name.clone();
    base.precision = precision;
    base.trainable = config.get("trainable").and_then(Value::as_bool).unwrap_or(true);
    Ok(layer)
}

/// What is wrong, without the class, which [`Error::Layer`] names.
fn message(error: &ConfigError) -> String {
    let text = error.to_string();
    match text.split_once(": ") {
        Some((_, message)) if !matches!(error, ConfigError::UnknownName { .. }) => message.to_string(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_class_or_argument_lists_what_is_known() {
        let none = Config::new();
        let message = from_config("Conv2d", &none, UnknownKeys::Refuse).unwrap_err().to_string();
        assert!(message.contains("Conv2d") && message.contains("MaxPooling2D"), "{message}");
        let mut config = Config::new();
        config.insert("unit".into(), Value::from(3));
        let message = from_config("Dense", &config, UnknownKeys::Refuse).unwrap_err().to_string();
        assert!(message.contains("\"unit\"") && message.contains("units"), "{message}");
        config.insert("units".into(), Value::from(3));
        assert!(from_config("Dense", &config, UnknownKeys::Ignore).is_ok());
    }

    #[test]
    fn an_argument_that_is_missing_or_wrong_is_named() {
        let message =
            |config: Value| from_config("Dense", config.as_object().unwrap(), UnknownKeys::Ignore).unwrap_err().to_string();
        assert_eq!(
            message(serde_json::json!({ "name": "d" })),
            "layer \"d\" (Dense): key \"units\" is missing; expected a whole number, 0 or more"
        );
        assert_eq!(
            message(serde_json::json!({ "units": 1, "kernel_initializer": { "type": "RandomNormal", "stddev": -1 } })),
            "layer \"unnamed\" (Dense): kernel_initializer: RandomNormal: stddev must be a number, 0 or more, got -1"
        );
    }
}
