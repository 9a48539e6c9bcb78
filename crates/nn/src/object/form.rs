//! The forms in which a configuration names an object.
//!
//! Three forms are read everywhere: a plain name (`"glorot_uniform"`), the Keras object
//! (`{"module", "class_name", "config", "registered_name"}`) and the recipe table (`{ type = "SGD", momentum = 0.9 }`).
//! One form is written: the Keras object, with the keys that every Keras 3 from 3.0.5 on accepts.

use super::ConfigError;
use serde_json::{Map, Value};

/// Splits any of the three readable forms into the class name and its arguments.
///
/// `kind` names the object in errors ("loss", "optimizer", …). `null` is not an object: callers decide what absence means.
///
/// # Errors
/// [`ConfigError::NotAnObject`] when the value is none of the three forms.
pub fn parse_object(kind: &'static str, value: &Value) -> Result<(String, Map<String, Value>), ConfigError> {
    let wrong = || ConfigError::NotAnObject { kind, got: brief(value) };
    match value {
        Value::String(name) => Ok((name.clone(), Map::new())),
        Value::Object(map) => {
            if let Some(Value::String(name)) = map.get("class_name") {
                return match map.get("config") {
                    Some(Value::Object(config)) => Ok((name.clone(), config.clone())),
                    // Keras writes bare functions, `keras.losses.kl_divergence` among them, with the name as config.
                    Some(Value::String(function)) if name == "function" => Ok((function.clone(), Map::new())),
                    None | Some(Value::Null) => Ok((name.clone(), Map::new())),
                    Some(_) => Err(wrong()),
                };
            }
            let Some(Value::String(name)) = map.get("type") else { return Err(wrong()) };
            let mut rest = map.clone();
            rest.shift_remove("type");
            Ok((name.clone(), rest))
        }
        _ => Err(wrong()),
    }
}

/// The Keras object `{"module", "class_name", "config", "registered_name": null}`.
pub fn to_object(module: &str, class_name: &str, config: Map<String, Value>) -> Value {
    let mut object = Map::new();
    object.insert("module".into(), module.into());
    object.insert("class_name".into(), class_name.into());
    object.insert("config".into(), Value::Object(config));
    object.insert("registered_name".into(), Value::Null);
    Value::Object(object)
}

/// Keras' own snake case: `GlorotUniform` → `glorot_uniform`, `AUC` → `auc`, `RMSprop` → `rm_sprop`
/// (keras/src/utils/naming.py, `to_snake_case`).
pub fn to_snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (i, &c) in letters.iter().enumerate() {
        if i > 0 && c.is_ascii_uppercase() {
            let before = letters[i - 1];
            let word_starts = letters.get(i + 1).is_some_and(|next| next.is_ascii_lowercase());
            if before != '_' && (before.is_ascii_lowercase() || word_starts) {
                out.push('_');
            }
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// Whether an identifier names a class, in either spelling: `glorot_uniform`, `GlorotUniform`, `glorotuniform`.
pub fn same_name(identifier: &str, class_name: &str) -> bool {
    let letters = |name: &str| -> Vec<u8> { name.bytes().filter(|b| *b != b'_').map(|b| b.to_ascii_lowercase()).collect() };
    letters(identifier) == letters(class_name)
}

/// A number as short as `f32` allows: 0.9 rather than 0.8999999761581421.
pub fn number(value: f32) -> Value {
    // Printing finds the shortest decimal that reads back as this very f32.
    let shortest: f64 = value.to_string().parse().unwrap_or(f64::from(value));
    Value::from(shortest)
}

/// An optional number: `null` when absent.
pub fn optional_number(value: Option<f32>) -> Value {
    value.map_or(Value::Null, number)
}

/// A value as errors show it: cut after sixty characters.
pub fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Gives a type with `from_value` and `to_value` its serde traits, on any format.
macro_rules! serde_by_value {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(&self.to_value(), serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = <serde_json::Value as serde::Deserialize>::deserialize(deserializer)?;
                <$type>::from_value(&value).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_by_value;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_three_forms_are_one() {
        for value in [
            json!({"module": "keras.optimizers", "class_name": "SGD", "config": {"momentum": 0.9}, "registered_name": null}),
            json!({"type": "SGD", "momentum": 0.9}),
        ] {
            let (name, fields) = parse_object("optimizer", &value).unwrap();
            assert_eq!(name, "SGD");
            assert_eq!(fields.get("momentum"), Some(&json!(0.9)));
            assert_eq!(fields.len(), 1);
        }
        let (name, fields) = parse_object("optimizer", &json!("sgd")).unwrap();
        assert_eq!((name.as_str(), fields.len()), ("sgd", 0));
    }

    #[test]
    fn a_number_is_not_an_object() {
        let error = parse_object("loss", &json!(3)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "loss: expected a name, a Keras object with \"class_name\" or a table with \"type\", got 3"
        );
    }

    #[test]
    fn numbers_are_written_short() {
        assert_eq!(number(0.9).to_string(), "0.9");
        assert_eq!(number(1e-7).to_string(), "1e-7");
        assert_eq!(optional_number(None), Value::Null);
    }

    #[test]
    fn snake_case_is_the_one_of_keras() {
        for (class, snake) in [
            ("GlorotUniform", "glorot_uniform"),
            ("AUC", "auc"),
            ("F1Score", "f1_score"),
            ("RMSprop", "rm_sprop"),
            ("L1L2", "l1l2"),
            ("MaxPooling2D", "max_pooling2d"),
            ("ReLU", "re_lu"),
        ] {
            assert_eq!(to_snake_case(class), snake, "{class}");
            assert!(same_name(snake, class));
        }
        assert!(same_name("rmsprop", "RMSprop"));
    }
}
