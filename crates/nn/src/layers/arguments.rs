//! Argument types that several layers share, each with Keras' JSON form.

use crate::object::{Argument, words};
use serde_json::{Value, json};

/// Most steps of a window, step or rate.
const MOST: usize = 1 << 16;

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
        if self.0.max(self.1) > MOST {
            return Err(format!("{argument} must be at most {MOST}, got [{}, {}]", self.0, self.1));
        }
        if self.0 == 0 || self.1 == 0 {
            return Err(format!("{argument} must be at least 1, got [{}, {}]", self.0, self.1));
        }
        Ok((self.0, self.1))
    }
}
impl Argument for Pair {
    fn expected() -> String {
        "a whole number or [height, width]".into()
    }

    fn read(value: &Value) -> Option<Pair> {
        match value.as_array().map(Vec::as_slice) {
            None => usize::read(value).map(Pair::from),
            Some([h, w]) => Some(Pair(usize::read(h)?, usize::read(w)?)),
            Some(_) => None,
        }
    }

    fn write(&self) -> Value {
        json!([self.0, self.1])
    }
}

/// Length of a window, step or rate along one axis; read as a number or a list of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Single(pub usize);

impl From<usize> for Single {
    fn from(n: usize) -> Self {
        Single(n)
    }
}
impl Single {
    /// An error that names the argument unless it is at least 1, and small enough to be multiplied.
    pub(crate) fn positive(self, argument: &str) -> Result<usize, String> {
        match self.0 {
            0 => Err(format!("{argument} must be at least 1, got 0")),
            n if n > MOST => Err(format!("{argument} must be at most {MOST}, got {n}")),
            n => Ok(n),
        }
    }
}
impl Argument for Single {
    fn expected() -> String {
        "a whole number".into()
    }

    fn read(value: &Value) -> Option<Single> {
        match value.as_array().map(Vec::as_slice) {
            None => usize::read(value).map(Single),
            Some([n]) => usize::read(n).map(Single),
            Some(_) => None,
        }
    }

    fn write(&self) -> Value {
        json!([self.0])
    }
}

words! {
    /// Keras' `padding` of a convolution along one axis.
    pub enum SequencePadding {
        /// No padding: windows lie inside the input.
        Valid = "valid",
        /// Zeros around the input so that output = ceil(input / stride); the odd one goes to the end.
        Same = "same",
        /// As many zeros, all of them before the first step, that no output sees a later step than its own.
        Causal = "causal",
    }
}

impl From<Padding> for SequencePadding {
    fn from(padding: Padding) -> Self {
        match padding {
            Padding::Valid => SequencePadding::Valid,
            Padding::Same => SequencePadding::Same,
        }
    }
}

words! {
    /// Keras' `padding`.
    pub enum Padding {
        /// No padding: windows lie inside the input.
        Valid = "valid",
        /// Zeros around the input so that output = ceil(input / stride); the odd one goes to the end.
        Same = "same",
    }
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
                Err(format!("a window of {window} does not fit into {n} places; use padding \"same\" or a smaller window"))
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

impl Argument for ChannelsLast {
    fn expected() -> String {
        "\"channels_last\", the only order supported".into()
    }

    fn read(value: &Value) -> Option<ChannelsLast> {
        (value == "channels_last").then_some(ChannelsLast)
    }

    fn write(&self) -> Value {
        "channels_last".into()
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
        assert_eq!(Pair::read(&json!(3)), Some(Pair(3, 3)));
        assert_eq!(Pair::read(&json!([2, 3])), Some(Pair(2, 3)));
        assert_eq!(Pair(2, 3).write(), json!([2, 3]));
        for wrong in [json!("x"), json!([1]), json!([1, 2, 3]), json!(-1), json!([1, 0.5])] {
            assert_eq!(Pair::read(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn one_length_is_written_as_a_list() {
        assert_eq!((Single::read(&json!(3)), Single::read(&json!([3]))), (Some(Single(3)), Some(Single(3))));
        assert_eq!(Single(3).write(), json!([3]));
        for wrong in [json!("x"), json!([]), json!([1, 2]), json!(-1), json!(0.5)] {
            assert_eq!(Single::read(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn one_order_of_axes_is_read() {
        assert_eq!(ChannelsLast::read(&ChannelsLast.write()), Some(ChannelsLast));
        assert_eq!(ChannelsLast::read(&json!("channels_first")), None);
    }
}
