//! f64 in JSON with every bit, infinities and NaN included, which JSON's own numbers leave out: as the integer of its bits.

use serde_json::{Value, json};

/// A list of integers for [`from_json`].
pub(crate) fn to_json(numbers: &[f64]) -> Value {
    numbers.iter().map(|n| json!(n.to_bits())).collect()
}

/// The numbers of a list of this length; `None` when it is no such list.
pub(crate) fn from_json(value: &Value, length: usize) -> Option<Vec<f64>> {
    let list = value.as_array().filter(|list| list.len() == length)?;
    list.iter().map(|bits| bits.as_u64().map(f64::from_bits)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_comes_back_through_text() {
        let numbers = [0.1, -0.0, 1.0 / 3.0, f64::MIN_POSITIVE / 2.0, f64::MAX, f64::NEG_INFINITY, f64::NAN];
        let value: Value = serde_json::from_str(&to_json(&numbers).to_string()).unwrap();
        let back = from_json(&value, numbers.len());
        assert_eq!(back.map(|b| b.iter().map(|n| n.to_bits()).collect()), Some(numbers.map(f64::to_bits).to_vec()));
        assert!(from_json(&value, 6).is_none() && from_json(&json!([0.5]), 1).is_none() && from_json(&Value::Null, 0).is_none());
    }
}
