//! Argument types that several layers share, each with Keras' JSON form.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// `[height, width]` of a window, step or rate; a single number means both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair(pub usize, pub usize);

impl From<usize> for Pair {
    fn from(n: usize) -> Self {
        Pair(n, n)
    }
}
impl From<(usize, usize)> for Pair {
    fn from((h, w): (usize, usize)) -> Self {
        Pair(h, w)
    }
}
impl From<[usize; 2]> for Pair {
    fn from([h, w]: [usize; 2]) -> Self {
        Pair(h, w)
    }
}
impl Pair {
    /// As `(height, width)`.
    pub fn tuple(self) -> (usize, usize) {
        (self.0, self.1)
    }

    /// An error that names the argument unless both are at least 1, and small enough to be multiplied.
    pub(crate) fn positive(self, argument: &str) -> Result<(usize, usize), String> {
        const MOST: usize = 1 << 16;
        if self.0.max(self.1) > MOST {
            return Err(format!("{argument} must be at most {MOST}, got [{}, {}]", self.0, self.1));
        }
        if self.0 == 0 || self.1 == 0 {
            return Err(format!("{argument} must be at least 1, got [{}, {}]", self.0, self.1));
        }
        Ok((self.0, self.1))
    }
}
impl Serialize for Pair {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        [self.0, self.1].serialize(s)
    }
}
impl<'de> Deserialize<'de> for Pair {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            One(usize),
            Two([usize; 2]),
        }
        match Form::deserialize(d) {
            Ok(Form::One(n)) => Ok(Pair(n, n)),
            Ok(Form::Two([h, w])) => Ok(Pair(h, w)),
            Err(_) => Err(serde::de::Error::custom("expected a whole number or [height, width]")),
        }
    }
}

/// Keras' `padding`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// No padding: windows lie inside the input.
    #[default]
    Valid,
    /// Zeros around the input so that output = ceil(input / stride); the odd one goes to the end.
    Same,
}

impl Padding {
    /// Output length and the padding before and after, along one axis.
    ///
    /// `same`: out = ceil(n / stride), total = max((out − 1)·stride + window − n, 0), the smaller half before (TensorFlow's rule).
    ///
    /// # Errors
    /// When a `valid` window does not fit.
    pub fn resolve(self, n: usize, window: usize, stride: usize) -> Result<(usize, usize, usize), String> {
        match self {
            Padding::Valid if n < window => {
                Err(format!("a window of {window} does not fit into {n} pixels; use padding \"same\" or a smaller window"))
            }
            Padding::Valid => Ok(((n - window) / stride + 1, 0, 0)),
            Padding::Same => {
                let out = n.div_ceil(stride);
                let total = ((out.max(1) - 1) * stride + window).saturating_sub(n);
                Ok((out, total / 2, total - total / 2))
            }
        }
    }
}

/// Keras' `data_format`: only `channels_last` is supported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChannelsLast;

impl Serialize for ChannelsLast {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str("channels_last")
    }
}
impl<'de> Deserialize<'de> for ChannelsLast {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match Option::<String>::deserialize(d)?.as_deref() {
            None | Some("channels_last") => Ok(ChannelsLast),
            Some(other) => {
                Err(serde::de::Error::custom(format!("data_format \"{other}\" is not supported; use \"channels_last\"")))
            }
        }
    }
}

/// A Keras argument that is not supported: null in files, and anything else is refused by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Null;

impl Serialize for Null {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_none()
    }
}
impl<'de> Deserialize<'de> for Null {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match Value::deserialize(d)? {
            Value::Null => Ok(Null),
            other => Err(serde::de::Error::custom(format!("{other} is not supported here; only null is"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_pads_more_at_the_end() {
        assert_eq!(Padding::Same.resolve(28, 5, 1), Ok((28, 2, 2)));
        assert_eq!(Padding::Same.resolve(28, 2, 2), Ok((14, 0, 0)));
        assert_eq!(Padding::Same.resolve(7, 2, 2), Ok((4, 0, 1)));
        assert_eq!(Padding::Same.resolve(28, 3, 2), Ok((14, 0, 1)));
    }

    #[test]
    fn valid_windows_must_fit() {
        assert_eq!(Padding::Valid.resolve(28, 3, 1), Ok((26, 0, 0)));
        assert_eq!(Padding::Valid.resolve(13, 2, 2), Ok((6, 0, 0)));
        assert!(Padding::Valid.resolve(2, 3, 1).unwrap_err().contains("does not fit"));
    }

    #[test]
    fn pairs_take_one_number_or_two() {
        assert_eq!(serde_json::from_str::<Pair>("3").unwrap(), Pair(3, 3));
        assert_eq!(serde_json::from_str::<Pair>("[2, 3]").unwrap(), Pair(2, 3));
        assert!(serde_json::from_str::<Pair>("\"x\"").unwrap_err().to_string().contains("[height, width]"));
    }

    #[test]
    fn unsupported_arguments_are_refused() {
        assert!(serde_json::from_str::<Null>("{\"max_value\": 2}").is_err());
        assert!(serde_json::from_str::<ChannelsLast>("\"channels_first\"").is_err());
    }
}
