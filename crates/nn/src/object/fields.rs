//! One way to read and write configurable objects (initialisers, losses, optimisers, …).
//!
//! Three forms are read everywhere: a plain name (`"glorot_uniform"`), the Keras object
//! (`{"module", "class_name", "config", "registered_name"}`) and the recipe table (`{ type = "SGD", momentum = 0.9 }`).
//! One form is written: the Keras object, with the keys that every Keras 3 from 3.0.5 on accepts.

use serde_json::{Map, Value};

/// What is wrong with a configuration, in words for its author.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// No object of that name.
    #[error("unknown {kind} \"{name}\"; known: {known}")]
    UnknownName {
        /// What was being read, such as "optimizer".
        kind: &'static str,
        /// The name that was given.
        name: String,
        /// The names that exist, comma separated.
        known: String,
    },
    /// The object has no such argument.
    #[error("{class}: unknown key \"{key}\"; known: {known}")]
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
        expected: &'static str,
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

/// The arguments of one object, taken one by one; what is left over at the end is an unknown key.
#[derive(Debug)]
pub struct Fields {
    class: String,
    map: Map<String, Value>,
    known: Vec<&'static str>,
}

impl Fields {
    /// Starts reading the arguments of `class`.
    pub fn new(class: &str, map: Map<String, Value>) -> Fields {
        Fields { class: class.into(), map, known: Vec::new() }
    }

    /// The class name used in errors.
    pub fn class(&self) -> &str {
        &self.class
    }

    /// Takes an argument; `null` counts as absent.
    pub fn take(&mut self, key: &'static str) -> Option<Value> {
        self.known.push(key);
        self.map.shift_remove(key).filter(|value| !value.is_null())
    }

    /// [`Fields::take`] for old spellings, which errors do not list as known.
    pub fn take_hidden(&mut self, key: &str) -> Option<Value> {
        self.map.shift_remove(key).filter(|value| !value.is_null())
    }

    /// Accepts keys whose value does not matter here (`dtype`, `trainable`, …), without listing them as known.
    pub fn ignore(&mut self, keys: &[&str]) {
        for key in keys {
            self.map.shift_remove(*key);
        }
    }

    /// Accepts a key only while it is absent, `null`, or one of `values`: for what Keras has and we have not.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] for any other value.
    pub fn only(&mut self, key: &'static str, values: &[Value]) -> Result<(), ConfigError> {
        match self.map.shift_remove(key) {
            None | Some(Value::Null) => Ok(()),
            Some(value) if values.contains(&value) => Ok(()),
            Some(value) => {
                let mut allowed: Vec<String> = values.iter().map(Value::to_string).collect();
                allowed.push("absent".into());
                Err(self.bad(key, &allowed.join(" or "), &value))
            }
        }
    }

    /// A number, or `default` when absent.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] when it is not a finite number.
    pub fn f64_or(&mut self, key: &'static str, default: f64) -> Result<f64, ConfigError> {
        Ok(self.opt_f64(key)?.unwrap_or(default))
    }

    /// A number that may be absent.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] when it is not a finite number.
    pub fn opt_f64(&mut self, key: &'static str) -> Result<Option<f64>, ConfigError> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => match value.as_f64() {
                Some(number) if number.is_finite() => Ok(Some(number)),
                _ => Err(self.bad(key, "a number", &value)),
            },
        }
    }

    /// A number that must be there.
    ///
    /// # Errors
    /// [`ConfigError::MissingKey`], or [`ConfigError::BadValue`] when it is not a finite number.
    pub fn need_f64(&mut self, key: &'static str) -> Result<f64, ConfigError> {
        let class = self.class.clone();
        self.opt_f64(key)?.ok_or(ConfigError::MissingKey { class, key, expected: "a number" })
    }

    /// A number as f32, or `default` when absent.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] when it is not a finite number.
    pub fn f32_or(&mut self, key: &'static str, default: f32) -> Result<f32, ConfigError> {
        Ok(self.opt_f64(key)?.map_or(default, |v| v as f32))
    }

    /// A truth value, or `default` when absent.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] when it is neither true nor false.
    pub fn bool_or(&mut self, key: &'static str, default: bool) -> Result<bool, ConfigError> {
        match self.take(key) {
            None => Ok(default),
            Some(Value::Bool(value)) => Ok(value),
            Some(value) => Err(self.bad(key, "true or false", &value)),
        }
    }

    /// A whole number that may be absent; 8.0 is accepted as 8.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] when it is negative or has a fraction.
    pub fn opt_u64(&mut self, key: &'static str) -> Result<Option<u64>, ConfigError> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => match whole(&value) {
                Some(number) => Ok(Some(number)),
                None => Err(self.bad(key, "a whole number, 0 or more", &value)),
            },
        }
    }

    /// A whole number, or `default` when absent.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] when it is negative or has a fraction.
    pub fn u64_or(&mut self, key: &'static str, default: u64) -> Result<u64, ConfigError> {
        Ok(self.opt_u64(key)?.unwrap_or(default))
    }

    /// A whole number that must be there.
    ///
    /// # Errors
    /// [`ConfigError::MissingKey`], or [`ConfigError::BadValue`].
    pub fn need_u64(&mut self, key: &'static str) -> Result<u64, ConfigError> {
        let class = self.class.clone();
        self.opt_u64(key)?.ok_or(ConfigError::MissingKey { class, key, expected: "a whole number" })
    }

    /// A string that may be absent.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] when it is not a string.
    pub fn opt_string(&mut self, key: &'static str) -> Result<Option<String>, ConfigError> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(value)) => Ok(Some(value)),
            Some(value) => Err(self.bad(key, "a string", &value)),
        }
    }

    /// A list of numbers that must be there.
    ///
    /// # Errors
    /// [`ConfigError::MissingKey`], or [`ConfigError::BadValue`] when an entry is not a number.
    pub fn need_f64s(&mut self, key: &'static str) -> Result<Vec<f64>, ConfigError> {
        let missing = ConfigError::MissingKey { class: self.class.clone(), key, expected: "a list of numbers" };
        let value = self.take(key).ok_or(missing)?;
        value
            .as_array()
            .and_then(|list| list.iter().map(Value::as_f64).collect())
            .ok_or_else(|| self.bad(key, "a list of numbers", &value))
    }

    /// A seed: absent, a whole number (Keras allows negative ones), or a serialised `SeedGenerator`.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] for anything else.
    pub fn seed(&mut self) -> Result<Option<i64>, ConfigError> {
        let Some(value) = self.take("seed") else { return Ok(None) };
        match value.pointer("/config/seed").unwrap_or(&value) {
            Value::Null => Ok(None),
            number => match number.as_i64() {
                Some(seed) => Ok(Some(seed)),
                None => Err(self.bad("seed", "a whole number or null", &value)),
            },
        }
    }

    /// An error about one of these arguments.
    pub fn bad(&self, key: &str, expected: &str, got: &Value) -> ConfigError {
        ConfigError::bad_value(&self.class, key, expected, brief(got))
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`ConfigError::UnknownKey`] for the first argument that nobody took.
    pub fn finish(self) -> Result<(), ConfigError> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(key) => Err(ConfigError::UnknownKey {
                class: self.class,
                key: key.clone(),
                known: if self.known.is_empty() { "none".into() } else { self.known.join(", ") },
            }),
        }
    }
}

/// A JSON number without a fraction, as u64.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        // 2^53: beyond it a float no longer says which whole number was meant.
        (number >= 0.0 && number.fract() == 0.0 && number <= 9_007_199_254_740_992.0).then_some(number as u64)
    })
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
    fn left_over_keys_are_named_with_what_is_known() {
        let (_, map) = parse_object("x", &json!({"type": "SGD", "momentum": 0.9, "nestrov": true})).unwrap();
        let mut fields = Fields::new("SGD", map);
        assert_eq!(fields.f64_or("momentum", 0.0).unwrap(), 0.9);
        assert!(!fields.bool_or("nesterov", false).unwrap());
        assert_eq!(fields.finish().unwrap_err().to_string(), "SGD: unknown key \"nestrov\"; known: momentum, nesterov");
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

    #[test]
    fn a_seed_may_be_a_generator() {
        let (_, map) =
            parse_object("x", &json!({"type": "A", "seed": {"class_name": "SeedGenerator", "config": {"seed": 7}}})).unwrap();
        assert_eq!(Fields::new("A", map).seed().unwrap(), Some(7));
    }
}
