//! The weights of a model, set aside, and as text for the states of callbacks.

use maobi_nn::Model;
use serde_json::{Value, json};

/// All weights of a model in its order, non-trainable ones included.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Snapshot(Vec<Vec<f32>>);

impl Snapshot {
    pub(super) fn take(model: &Model) -> Snapshot {
        Snapshot(model.weights().iter().map(|w| w.values().to_vec()).collect())
    }

    /// Takes the weights again into the same memory.
    pub(super) fn retake(&mut self, model: &Model) {
        for (kept, weight) in self.0.iter_mut().zip(model.weights()) {
            kept.copy_from_slice(&weight.values());
        }
    }

    /// Gives the weights back to the model they are of; `false`, and nothing changed, when they are another's.
    pub(super) fn put(&self, model: &mut Model) -> bool {
        let fits = self.0.len() == model.weights().len()
            && self.0.iter().zip(model.weights()).all(|(kept, weight)| kept.len() == weight.len());
        if fits {
            for (kept, weight) in self.0.iter().zip(model.weights_mut()) {
                weight.values_mut().copy_from_slice(kept);
            }
        }
        fits
    }

    /// One base64 text per weight, of little-endian f32: JSON numbers would be longer and slower.
    pub(super) fn to_json(&self) -> Value {
        let text = |values: &Vec<f32>| encode(&values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
        json!(self.0.iter().map(text).collect::<Vec<String>>())
    }

    pub(super) fn from_json(value: &Value) -> Option<Snapshot> {
        let values = |text: &Value| {
            let bytes = decode(text.as_str()?)?;
            bytes
                .len()
                .is_multiple_of(4)
                .then(|| bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
        };
        value.as_array()?.iter().map(values).collect::<Option<_>>().map(Snapshot)
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 (RFC 4648), padded.
fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |g, &b| g << 8 | u32::from(b)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let last = digit > chunk.len();
            text.push(if last { '=' } else { DIGITS[(group >> (18 - 6 * digit) & 63) as usize] as char });
        }
    }
    text
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let body = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text).as_bytes();
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for chunk in body.chunks(4) {
        let group = chunk.iter().try_fold(0u32, |g, &c| Some(g << 6 | u32::from(digit(c)?)))? << (6 * (4 - chunk.len()));
        bytes.extend_from_slice(&group.to_be_bytes()[1..chunk.len()]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // The test vectors of RFC 4648, section 10.
    #[test]
    fn base64_of_the_rfc() {
        for (plain, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), plain.as_bytes());
        }
        assert_eq!((decode("Zg="), decode("Z!=="), decode("=Zg=")), (None, None, None));
    }

    #[test]
    fn every_bit_comes_back() {
        let snapshot = Snapshot(vec![vec![0.1, -0.0, f32::MIN_POSITIVE, 3.0], vec![], vec![f32::NAN]]);
        let back = Snapshot::from_json(&snapshot.to_json()).unwrap();
        let bits = |s: &Snapshot| s.0.iter().map(|w| w.iter().map(|v| v.to_bits()).collect::<Vec<_>>()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(&snapshot));
        assert_eq!(Snapshot::from_json(&json!(["AAA="])), None);
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        }
    }
}
