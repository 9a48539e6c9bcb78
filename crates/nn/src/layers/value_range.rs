//! The argument `value_range` of layers that change the values of pixels.

use crate::object::Argument;
use serde_json::{Value, json};

/// The smallest and the largest value of a pixel, in either order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueRange(pub f64, pub f64);

impl From<(f64, f64)> for ValueRange {
    fn from((low, high): (f64, f64)) -> Self {
        ValueRange(low, high)
    }
}

impl ValueRange {
    /// The smaller and the larger end.
    pub(super) fn ends(self) -> Result<(f32, f32), String> {
        let ValueRange(a, b) = self;
        if a == b || !a.is_finite() || !b.is_finite() {
            return Err(format!("value_range must be two different numbers, got [{a}, {b}]"));
        }
        Ok((a.min(b) as f32, a.max(b) as f32))
    }
}

impl Argument for ValueRange {
    fn expected() -> String {
        "[low, high]".into()
    }

    fn read(value: &Value) -> Option<ValueRange> {
        match value.as_array()?.as_slice() {
            [low, high] => Some(ValueRange(f64::read(low)?, f64::read(high)?)),
            _ => None,
        }
    }

    fn write(&self) -> Value {
        json!([self.0, self.1])
    }
}
