//! Every layer by its class name: the one place that knows them all.

use super::*;
use crate::error::Error;
use serde::de::DeserializeOwned;

type Parse = fn(&Map<String, Value>) -> Result<Box<dyn Layer>, String>;

fn parse<L: Layer + DeserializeOwned>(config: &Map<String, Value>) -> Result<Box<dyn Layer>, String> {
    serde_json::from_value::<L>(Value::Object(config.clone())).map(|l| Box::new(l) as _).map_err(|e| e.to_string())
}

/// Class name and parser of every layer.
const LAYERS: &[(&str, Parse)] = &[
    ("InputLayer", |c| InputLayer::from_config(c).map(|l| Box::new(l) as _)),
    ("Activation", parse::<Activation>),
    ("Add", parse::<Add>),
    ("Average", parse::<Average>),
    ("AveragePooling2D", parse::<AveragePooling2D>),
    ("BatchNormalization", parse::<BatchNormalization>),
    ("Concatenate", parse::<Concatenate>),
    ("Conv2D", parse::<Conv2D>),
    ("Dense", parse::<Dense>),
    ("DepthwiseConv2D", parse::<DepthwiseConv2D>),
    ("Dropout", parse::<Dropout>),
    ("ELU", parse::<ELU>),
    ("Flatten", parse::<Flatten>),
    ("GlobalAveragePooling2D", parse::<GlobalAveragePooling2D>),
    ("GlobalMaxPooling2D", parse::<GlobalMaxPooling2D>),
    ("LayerNormalization", parse::<LayerNormalization>),
    ("LeakyReLU", parse::<LeakyReLU>),
    ("MaxPooling2D", parse::<MaxPooling2D>),
    ("Multiply", parse::<Multiply>),
    ("RandomRotation", parse::<RandomRotation>),
    ("RandomTranslation", parse::<RandomTranslation>),
    ("RandomZoom", parse::<RandomZoom>),
    ("ReLU", parse::<ReLU>),
    ("Rescaling", parse::<Rescaling>),
    ("Reshape", parse::<Reshape>),
    ("SeparableConv2D", parse::<SeparableConv2D>),
    ("Softmax", parse::<Softmax>),
    ("UpSampling2D", parse::<UpSampling2D>),
    ("ZeroPadding2D", parse::<ZeroPadding2D>),
];

/// Keys that Keras writes for every layer or that later releases added and that change nothing at their default.
const COMMON_KEYS: &[&str] = &["name", "trainable", "dtype", "batch_input_shape", "batch_shape"];

/// The class names that [`from_config`] knows.
pub fn known() -> impl Iterator<Item = &'static str> {
    LAYERS.iter().map(|(name, _)| *name)
}

/// Whether Keras calls layers of this class with a list of tensors.
pub(crate) fn merges(class: &str) -> bool {
    matches!(class, "Add" | "Average" | "Multiply" | "Concatenate")
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
pub fn from_config(class: &str, config: &Map<String, Value>, unknown: UnknownKeys) -> Result<Box<dyn Layer>, Error> {
    let name = config.get("name").and_then(Value::as_str).map(str::to_string);
    let error = |message: String| Error::Layer {
        layer: name.clone().unwrap_or_else(|| "unnamed".into()),
        class: class.to_string(),
        message,
    };
    let Some((_, parse)) = LAYERS.iter().find(|(known, _)| *known == class) else {
        let known: Vec<_> = known().collect();
        return Err(error(format!("no such layer here; known are {}", known.join(", "))));
    };
    let mut own = config.clone();
    if class != "InputLayer" {
        own.retain(|key, _| !COMMON_KEYS.contains(&key.as_str()));
    }
    let mut layer = parse(&own).map_err(&error)?;
    if unknown == UnknownKeys::Refuse && class != "InputLayer" {
        let keys = layer.config();
        if let Some(key) = own.keys().find(|k| !keys.contains_key(*k)) {
            let known: Vec<_> = keys.keys().map(String::as_str).collect();
            return Err(error(format!("unknown argument \"{key}\"; known are {}", known.join(", "))));
        }
    }
    // A file's other dtypes (pure float16, integers of an input) are read as f32, as their weights are; a recipe should know better.
    let precision = config.get("dtype").filter(|v| !v.is_null() && class != "InputLayer").map(Precision::from_value);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_class_or_argument_lists_what_is_known() {
        let none = Map::new();
        let message = from_config("Conv2d", &none, UnknownKeys::Refuse).unwrap_err().to_string();
        assert!(message.contains("Conv2d") && message.contains("MaxPooling2D"), "{message}");
        let mut config = Map::new();
        config.insert("unit".into(), Value::from(3));
        let message = from_config("Dense", &config, UnknownKeys::Refuse).unwrap_err().to_string();
        assert!(message.contains("\"unit\"") && message.contains("units"), "{message}");
        assert!(from_config("Dense", &config, UnknownKeys::Ignore).is_ok());
    }
}
