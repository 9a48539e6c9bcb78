//! A TOML table whose keys must all be taken.

use crate::error::{Error, Result};
use maobi_nn::text::did_you_mean;
use serde_json::{Map, Value};

/// Keys are taken one by one; what is left at the end is unknown and an error.
pub struct Table {
    recipe: String,
    place: String,
    map: Map<String, Value>,
    asked: Vec<&'static str>,
}

impl Table {
    /// The keys of `map`, at `place` (e.g. `[training]`) of a recipe.
    pub fn new(recipe: &str, place: &str, map: Map<String, Value>) -> Table {
        Table { recipe: recipe.into(), place: place.into(), map, asked: Vec::new() }
    }

    /// An error about a key of this table.
    pub fn error(&self, key: &str, message: impl std::fmt::Display) -> Error {
        let place = if self.place.is_empty() { key.to_string() } else { format!("{} {key}", self.place) };
        Error::Recipe { recipe: self.recipe.clone(), message: format!("{place}: {message}") }
    }

    /// Takes a key.
    pub fn take(&mut self, key: &'static str) -> Option<Value> {
        self.asked.push(key);
        self.map.remove(key).filter(|v| !v.is_null())
    }

    /// Takes a key that must be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn need(&mut self, key: &'static str, expected: &str) -> Result<Value> {
        self.take(key).ok_or_else(|| self.error(key, format!("is missing; expected {expected}")))
    }

    /// Takes a text.
    ///
    /// # Errors
    /// When it is something else.
    pub fn text(&mut self, key: &'static str) -> Result<Option<String>> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.error(key, format!("expected a text, got {other}"))),
        }
    }

    /// Takes a whole number of at least 1.
    ///
    /// # Errors
    /// When it is something else.
    pub fn count(&mut self, key: &'static str) -> Result<Option<u64>> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(n) if n > 0 => Ok(Some(n)),
                _ => Err(self.error(key, format!("expected a whole number of at least 1, got {value}"))),
            },
        }
    }

    /// Takes a number; a text like `"1/255"` is a fraction.
    ///
    /// # Errors
    /// When it is something else.
    pub fn number(&mut self, key: &'static str) -> Result<Option<f64>> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let number = match &value {
            Value::Number(n) => n.as_f64(),
            Value::String(text) => fraction(text),
            _ => None,
        };
        match number {
            Some(n) if n.is_finite() => Ok(Some(n)),
            _ => Err(self.error(key, format!("expected a number or a fraction like \"1/255\", got {value}"))),
        }
    }

    /// Takes true or false.
    ///
    /// # Errors
    /// When it is something else.
    pub fn flag(&mut self, key: &'static str) -> Result<Option<bool>> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(self.error(key, format!("expected true or false, got {other}"))),
        }
    }

    /// Ends reading.
    ///
    /// # Errors
    /// When a key is left that nobody asked for.
    pub fn finish(self) -> Result<()> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(key) => Err(self.error(
                key,
                format!("is not known{}; known are {}", did_you_mean(key, self.asked.iter().copied()), self.asked.join(", ")),
            )),
        }
    }
}

fn fraction(text: &str) -> Option<f64> {
    match text.split_once('/') {
        Some((a, b)) => {
            let (a, b): (f64, f64) = (a.trim().parse().ok()?, b.trim().parse().ok()?);
            (b != 0.0).then_some(a / b)
        }
        None => text.trim().parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table(value: Value) -> Table {
        Table::new("mine", "[data]", value.as_object().cloned().unwrap_or_default())
    }

    #[test]
    fn fractions_and_numbers() {
        let mut t = table(json!({ "scale": "1/255", "offset": -0.5, "bad": "1/0" }));
        assert_eq!(t.number("scale").unwrap(), Some(1.0 / 255.0));
        assert_eq!(t.number("offset").unwrap(), Some(-0.5));
        assert!(t.number("bad").unwrap_err().to_string().contains("[data] bad"));
        t.finish().unwrap();
    }

    #[test]
    fn a_key_nobody_knows_is_an_error() {
        let mut t = table(json!({ "scael": 1 }));
        assert_eq!(t.number("scale").unwrap(), None);
        assert_eq!(
            t.finish().unwrap_err().to_string(),
            "recipe mine: [data] scael: is not known (did you mean \"scale\"?); known are scale"
        );
    }
}
