//! The `axis` argument: Keras counts the batch as axis 0, and negative numbers from the end.

use super::show;
use crate::object::Argument;
use serde_json::Value;

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
    /// The indices into a shape without the batch, in order.
    pub(crate) fn resolve(&self, shape: &[usize]) -> Result<Vec<usize>, String> {
        let mut axes = self.0.iter().map(|&a| Axis(a).resolve(shape)).collect::<Result<Vec<_>, _>>()?;
        axes.sort_unstable();
        if axes.is_empty() || axes.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(format!("axis must name one axis or several, each once, got {:?}", self.0));
        }
        Ok(axes)
    }

    /// How many trailing axes these are.
    pub(crate) fn trailing(&self, shape: &[usize]) -> Result<usize, String> {
        let axes = self.resolve(shape)?;
        let last = shape.len().saturating_sub(axes.len());
        if axes.iter().enumerate().any(|(i, &a)| a != last + i) {
            return Err(format!("axis must name the last axis or axes, such as -1 or [-2, -1], got {:?}", self.0));
        }
        Ok(axes.len())
    }
}

impl Argument for Axis {
    fn expected() -> String {
        "a whole number".into()
    }

    fn read(value: &Value) -> Option<Axis> {
        match Axes::read(value)?.0[..] {
            [axis] => Some(Axis(axis)),
            _ => None,
        }
    }

    fn write(&self) -> Value {
        self.0.into()
    }
}

impl Argument for Axes {
    fn expected() -> String {
        "a whole number or a list of them".into()
    }

    fn read(value: &Value) -> Option<Axes> {
        i64::read(value).map(Axes::from).or_else(|| Vec::read(value).map(Axes))
    }

    fn write(&self) -> Value {
        self.0.write()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
        assert_eq!(Axis::read(&json!([3])), Some(Axis(3)));
        assert_eq!(Axes::read(&json!(-1)), Some(Axes(vec![-1])));
        assert_eq!(Axis::read(&json!([1, 2])), None);
        assert_eq!((Axis(-1).write(), Axes(vec![-1]).write()), (json!(-1), json!([-1])));
    }
}
