//! A layer's arguments, from its Keras config.

use serde_json::{Map, Value};

/// The config of one layer.
pub(super) struct Arguments(pub(super) Map<String, Value>);

impl Arguments {
    fn get(&self, key: &str) -> Result<&Value, String> {
        self.0.get(key).ok_or_else(|| format!("no argument {key}"))
    }

    /// `[height, width]`.
    pub(super) fn pair(&self, key: &str) -> Result<[usize; 2], String> {
        whole_pair(self.get(key)?).ok_or_else(|| format!("{key}: expected [height, width]"))
    }

    /// `[height, width]`, or what it is when absent.
    pub(super) fn pair_or(&self, key: &str, default: [usize; 2]) -> Result<[usize; 2], String> {
        if self.0.get(key).is_none_or(Value::is_null) { Ok(default) } else { self.pair(key) }
    }

    /// `[[top, bottom], [left, right]]`.
    pub(super) fn margins(&self, key: &str) -> Result<[[usize; 2]; 2], String> {
        let sides = self.get(key)?.as_array().filter(|sides| sides.len() == 2);
        let sides = sides.and_then(|sides| Some([whole_pair(&sides[0])?, whole_pair(&sides[1])?]));
        sides.ok_or_else(|| format!("{key}: expected [[top, bottom], [left, right]]"))
    }

    pub(super) fn whole(&self, key: &str) -> Result<usize, String> {
        let value = self.get(key)?.as_u64().and_then(|n| usize::try_from(n).ok());
        value.ok_or_else(|| format!("{key}: expected a whole number"))
    }

    pub(super) fn integer(&self, key: &str) -> Result<i64, String> {
        self.get(key)?.as_i64().ok_or_else(|| format!("{key}: expected a whole number"))
    }

    pub(super) fn number(&self, key: &str) -> Result<f64, String> {
        self.get(key)?.as_f64().ok_or_else(|| format!("{key}: expected a number"))
    }

    pub(super) fn number_or_none(&self, key: &str) -> Result<Option<f64>, String> {
        if self.get(key)?.is_null() { Ok(None) } else { self.number(key).map(Some) }
    }

    pub(super) fn flag(&self, key: &str) -> Result<bool, String> {
        self.get(key)?.as_bool().ok_or_else(|| format!("{key}: expected true or false"))
    }

    pub(super) fn text(&self, key: &str) -> Result<&str, String> {
        self.get(key)?.as_str().ok_or_else(|| format!("{key}: expected a name"))
    }

    /// How many axes a list names; one for a plain number.
    pub(super) fn count(&self, key: &str) -> Result<usize, String> {
        Ok(self.get(key)?.as_array().map_or(1, Vec::len))
    }
}

fn whole_pair(value: &Value) -> Option<[usize; 2]> {
    match value.as_array()?.as_slice() {
        [a, b] => Some([usize::try_from(a.as_u64()?).ok()?, usize::try_from(b.as_u64()?).ok()?]),
        _ => None,
    }
}
