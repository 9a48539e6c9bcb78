//! The `axis` argument: Keras counts the batch as axis 0, and negative numbers from the end.

use super::show;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One axis; read as a number or, as Keras 2 wrote it, a list of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis(pub i64);

/// Some axes; read as a number or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axes(pub Vec<i64>);

impl From<i64> for Axis {
    fn from(axis: i64) -> Self {
        Axis(axis)
    }
}
impl From<i64> for Axes {
    fn from(axis: i64) -> Self {
        Axes(vec![axis])
    }
}
impl<const N: usize> From<[i64; N]> for Axes {
    fn from(axes: [i64; N]) -> Self {
        Axes(axes.to_vec())
    }
}

impl Axis {
    /// The index into a shape without the batch.
    pub(crate) fn resolve(self, shape: &[usize]) -> Result<usize, String> {
        let rank = shape.len() as i64 + 1;
        let from_start = if self.0 < 0 { self.0 + rank } else { self.0 };
        if from_start == 0 {
            return Err(format!("axis must not be the batch, got {} for an input of shape {}", self.0, show(shape)));
        }
        if !(1..rank).contains(&from_start) {
            return Err(format!(
                "axis must lie in -{} to {} for an input of shape {}, got {}",
                rank - 1,
                rank - 1,
                show(shape),
                self.0
            ));
        }
        Ok(from_start as usize - 1)
    }
}

impl Axes {
    /// How many trailing axes these are.
    pub(crate) fn trailing(&self, shape: &[usize]) -> Result<usize, String> {
        let mut axes = self.0.iter().map(|&a| Axis(a).resolve(shape)).collect::<Result<Vec<_>, _>>()?;
        axes.sort_unstable();
        let last = shape.len().saturating_sub(axes.len());
        if axes.is_empty() || axes.iter().enumerate().any(|(i, &a)| a != last + i) {
            return Err(format!("axis must name the last axis or axes, such as -1 or [-2, -1], got {:?}", self.0));
        }
        Ok(axes.len())
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    One(i64),
    Many(Vec<i64>),
}

impl Serialize for Axis {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}
impl<'de> Deserialize<'de> for Axis {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match Form::deserialize(d) {
            Ok(Form::One(axis)) => Ok(Axis(axis)),
            Ok(Form::Many(axes)) if axes.len() == 1 => Ok(Axis(axes[0])),
            _ => Err(serde::de::Error::custom("axis: expected a whole number")),
        }
    }
}
impl Serialize for Axes {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(s)
    }
}
impl<'de> Deserialize<'de> for Axes {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        match Form::deserialize(d) {
            Ok(Form::One(axis)) => Ok(Axes(vec![axis])),
            Ok(Form::Many(axes)) => Ok(Axes(axes)),
            Err(_) => Err(serde::de::Error::custom("axis: expected a whole number or a list of them")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batch_counts_as_axis_0() {
        assert_eq!(Axis(-1).resolve(&[4, 5, 6]), Ok(2));
        assert_eq!(Axis(3).resolve(&[4, 5, 6]), Ok(2));
        assert_eq!(Axis(1).resolve(&[4, 5, 6]), Ok(0));
        assert!(Axis(0).resolve(&[4]).unwrap_err().contains("batch"));
        assert!(Axis(-4).resolve(&[4, 5, 6]).unwrap_err().contains("batch"));
        assert_eq!(
            Axis(4).resolve(&[4, 5, 6]).unwrap_err(),
            "axis must lie in -3 to 3 for an input of shape (None, 4, 5, 6), got 4"
        );
    }

    #[test]
    fn several_axes_must_be_the_last_ones() {
        assert_eq!(Axes(vec![-1, -2]).trailing(&[4, 5, 6]), Ok(2));
        assert_eq!(Axes(vec![1, 2, 3]).trailing(&[4, 5, 6]), Ok(3));
        assert!(Axes(vec![1, 3]).trailing(&[4, 5, 6]).unwrap_err().contains("last axis"));
        assert!(Axes(vec![]).trailing(&[4]).is_err());
    }

    #[test]
    fn old_and_new_forms_are_read() {
        assert_eq!(serde_json::from_str::<Axis>("[3]").unwrap(), Axis(3));
        assert_eq!(serde_json::from_str::<Axes>("-1").unwrap(), Axes(vec![-1]));
        assert!(serde_json::from_str::<Axis>("[1, 2]").unwrap_err().to_string().contains("axis"));
    }
}
