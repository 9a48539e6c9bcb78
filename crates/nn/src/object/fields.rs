//! The arguments of an object, read one by one.

use super::argument::whole;
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
        self.opt_f64(key)?.ok_or(ConfigError::MissingKey { class, key, expected: "a number".into() })
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
        self.opt_u64(key)?.ok_or(ConfigError::MissingKey { class, key, expected: "a whole number".into() })
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
        let missing = ConfigError::MissingKey { class: self.class.clone(), key, expected: "a list of numbers".into() };
        let value = self.take(key).ok_or(missing)?;
        value
            .as_array()
            .and_then(|list| list.iter().map(Value::as_f64).collect())
            .ok_or_else(|| self.bad(key, "a list of numbers", &value))
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
        assert_eq!(fields.f64_or("momentum", 0.0).unwrap(), 0.9);
        assert!(!fields.bool_or("nesterov", false).unwrap());
        assert_eq!(fields.finish().unwrap_err().to_string(), "SGD: unknown key \"nestrov\"; known: momentum, nesterov");
    }
}
