//! An answer with pictures in it: the length of a JSON object in four bytes (little-endian), the object, and behind it the pixels, to
//! which the object refers by where they begin. A browser takes them as they are, where base64 in JSON would have to be undone.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// One on its way.
#[derive(Debug, Default)]
pub struct Parts {
    object: Map<String, Value>,
    bytes: Vec<u8>,
}

impl Parts {
    /// With an object that has entries already.
    pub fn of(object: Map<String, Value>) -> Self {
        Self { object, ..Self::default() }
    }

    /// Puts an entry into the object.
    pub fn set(&mut self, key: &str, value: Value) {
        self.object.insert(key.to_owned(), value);
    }

    /// Keeps pixels; where they begin.
    pub fn keep(&mut self, bytes: &[u8]) -> usize {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        at
    }

    /// Keeps numbers as shades: 0 stands for the least of them and 255 for the largest, both of which are told.
    pub fn keep_shades(&mut self, values: impl Iterator<Item = f32> + Clone) -> Value {
        let finite = values.clone().filter(|value| value.is_finite());
        let (least, most) = finite.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let (least, most) = if least <= most { (least, most) } else { (0.0, 0.0) };
        let span = if most > least { most - least } else { 1.0 };
        let at = self.bytes.len();
        // `as` clamps, and turns NaN into 0.
        self.bytes.extend(values.map(|value| ((value - least) / span * 255.0).round() as u8));
        json!({ "at": at, "least": least, "most": most })
    }

    /// The bytes of the answer.
    pub fn into_bytes(self) -> Vec<u8> {
        let text = Value::Object(self.object).to_string();
        let mut all = Vec::with_capacity(4 + text.len() + self.bytes.len());
        all.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        all.extend_from_slice(text.as_bytes());
        all.extend_from_slice(&self.bytes);
        all
    }
}

impl IntoResponse for Parts {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))], self.into_bytes()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_and_what_it_refers_to() {
        let mut parts = Parts::default();
        assert_eq!((parts.keep(&[1, 2]), parts.keep(&[3])), (0, 2));
        let shades = parts.keep_shades([0.5, -0.5, 0.0, f32::NAN].into_iter());
        assert_eq!(shades, json!({ "at": 3, "least": -0.5, "most": 0.5 }));
        assert_eq!(parts.keep_shades(std::iter::repeat_n(2.0, 2)), json!({ "at": 7, "least": 2.0, "most": 2.0 }));
        parts.set("a", json!(7));
        assert_eq!(parts.into_bytes(), b"\x07\0\0\0{\"a\":7}\x01\x02\x03\xff\0\x80\0\0\0");
    }
}
