//! The arguments of an object, read one by one.

use super::form::brief;
use super::{Argument, ConfigError};
use serde_json::{Map, Value};

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

    /// An argument of any type, or `default` when absent.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] when it is of another kind.
    pub fn argument<T: Argument>(&mut self, key: &'static str, default: T) -> Result<T, ConfigError> {
        self.known.push(key);
        match self.map.shift_remove(key) {
            None => Ok(default),
            Some(Value::Null) => Ok(T::from_null().unwrap_or(default)),
            Some(value) => self.read(key, &value),
        }
    }

    /// An argument of any type that must be there.
    ///
    /// # Errors
    /// [`ConfigError::MissingKey`], or [`ConfigError::BadValue`] when it is of another kind.
    pub fn required<T: Argument>(&mut self, key: &'static str) -> Result<T, ConfigError> {
        let class = self.class.clone();
        let value = self.take(key).ok_or_else(|| ConfigError::MissingKey { class, key, expected: T::expected() })?;
        self.read(key, &value)
    }

    fn read<T: Argument>(&self, key: &str, value: &Value) -> Result<T, ConfigError> {
        T::read(value).ok_or_else(|| match T::refusal(value) {
            Some(why) => ConfigError::Conflict { class: self.class.clone(), message: format!("{key}: {why}") },
            None => self.bad(key, &T::expected(), value),
        })
    }

    /// Reads what stands under an old key as if it stood under the new one.
    pub fn rename(&mut self, old: &str, new: &str) {
        if let Some(value) = self.map.shift_remove(old) {
            self.map.entry(new).or_insert(value);
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

#[cfg(test)]
mod tests {
    use super::super::form::parse_object;
    use super::*;
    use serde_json::json;

    #[test]
    fn left_over_keys_are_named_with_what_is_known() {
        let (_, map) = parse_object("x", &json!({"type": "SGD", "momentum": 0.9, "nestrov": true})).unwrap();
        let mut fields = Fields::new("SGD", map);
        assert_eq!(fields.argument("momentum", 0.0).unwrap(), 0.9);
        assert!(!fields.argument("nesterov", false).unwrap());
        assert_eq!(
            fields.finish().unwrap_err().to_string(),
            "SGD: unknown key \"nestrov\" (did you mean \"nesterov\"?); known: momentum, nesterov"
        );
    }
}
