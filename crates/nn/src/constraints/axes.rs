//! Axes over which a norm is taken.

use crate::groups::Groups;
use crate::object::Argument;
use serde_json::{Value, json};

/// Keras' `axis` of a norm: one axis of a weight or several; negative ones count from the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormAxes(Vec<i64>);

impl From<i64> for NormAxes {
    fn from(axis: i64) -> Self {
        NormAxes(vec![axis])
    }
}

impl<const N: usize> From<[i64; N]> for NormAxes {
    fn from(axes: [i64; N]) -> Self {
        NormAxes(axes.to_vec())
    }
}

impl Argument for NormAxes {
    fn expected() -> String {
        "a whole number or a list of them".into()
    }

    fn read(value: &Value) -> Option<NormAxes> {
        match value.as_array() {
            Some(list) => list.iter().map(Value::as_i64).collect::<Option<_>>().map(NormAxes),
            None => value.as_i64().map(NormAxes::from),
        }
    }

    fn write(&self) -> Value {
        match self.0[..] {
            [axis] => json!(axis),
            ref axes => json!(axes),
        }
    }
}

impl NormAxes {
    /// An error unless the axes are those of a weight of that shape.
    pub(super) fn check(&self, class: &str, shape: &[usize]) -> Result<(), String> {
        let rank = shape.len() as i64;
        match self.0.iter().find(|axis| !(-rank..rank).contains(axis)) {
            Some(axis) => Err(format!("{class}: axis {axis} is out of range for a weight of shape {shape:?}")),
            None => Ok(()),
        }
    }

    /// Multiplies the values that share a norm, √Σw² over these axes, by `factor(norm)`.
    pub(super) fn scale(&self, shape: &[usize], w: &mut [f32], factor: impl Fn(f32) -> f32) {
        let rank = shape.len() as i64;
        let summed = |axis: usize| self.0.iter().any(|&summed| summed.rem_euclid(rank.max(1)) == axis as i64);
        let groups = Groups::new(shape, |axis| !summed(axis));
        let mut sums = vec![0.0f32; groups.count];
        groups.each(|value, group| sums[group] += w[value] * w[value]);
        let factors: Vec<f32> = sums.into_iter().map(|sum| factor(sum.sqrt())).collect();
        groups.each(|value, group| w[value] *= factors[group]);
    }
}
