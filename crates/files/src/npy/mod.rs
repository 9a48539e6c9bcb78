//! NumPy's `.npy`: one array, with a header that says type and shape.
//!
//! Format versions 1, 2 and 3 of NEP 1 (<https://numpy.org/neps/nep-0001-npy-format.html>), in both orders of axes.

mod header;
mod read;
mod write;

use crate::error::FormatError;
use crate::numbers::{Element, Encoding};

/// An array of a `.npy` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Npy {
    /// Type of the elements.
    pub element: Element,
    /// The sides, slowest first; empty for a single number.
    pub shape: Vec<usize>,
    /// The elements, little-endian whatever the file had, the last dimension fastest.
    pub bytes: Vec<u8>,
}

impl Npy {
    /// An array of `f32`, `shape` as given.
    pub fn from_f32(shape: &[usize], values: &[f32]) -> Self {
        Self::from_elements(Element::F32, shape, values, |v| v.to_le_bytes())
    }

    /// An array of `i64`, `shape` as given.
    pub fn from_i64(shape: &[usize], values: &[i64]) -> Self {
        Self::from_elements(Element::I64, shape, values, |v| v.to_le_bytes())
    }

    /// An array of `u8`, `shape` as given.
    pub fn from_u8(shape: &[usize], values: &[u8]) -> Self {
        Self::from_elements(Element::U8, shape, values, |v| [v])
    }

    fn from_elements<T: Copy, const N: usize>(
        element: Element,
        shape: &[usize],
        values: &[T],
        bytes: impl Fn(T) -> [u8; N],
    ) -> Self {
        Npy { element, shape: shape.to_vec(), bytes: values.iter().flat_map(|v| bytes(*v)).collect() }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.element.size()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The elements as `f32`, integers and `f64` rounded to the nearest.
    pub fn to_f32(&self) -> Vec<f32> {
        Encoding::little(self.element).to_f32(&self.bytes)
    }

    /// The elements as `i64`; `None` when they are floating point or beyond it.
    pub fn to_i64(&self) -> Option<Vec<i64>> {
        Encoding::little(self.element).to_i64(&self.bytes)
    }

    /// The elements as labels, `[count]`.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] when they are no integers, negative or beyond `u32`, or the shape is not `[count]` or `[count, 1]`.
    pub fn to_labels(&self) -> Result<Vec<u32>, FormatError> {
        if !matches!(self.shape[..], [_] | [_, 1]) {
            return Err(FormatError::malformed("labels of shape [count] or [count, 1]", format!("{:?}", self.shape)));
        }
        let values = self.to_i64().ok_or_else(|| FormatError::malformed("labels of an integer type", self.element))?;
        let label = |v: i64| u32::try_from(v).map_err(|_| FormatError::malformed("labels from 0 to 4294967295", v));
        values.into_iter().map(label).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions() {
        let array = Npy::from_i64(&[2], &[3, -1]);
        assert_eq!((array.len(), array.to_f32(), array.to_i64()), (2, vec![3.0, -1.0], Some(vec![3, -1])));
        assert!(array.to_labels().unwrap_err().to_string().contains("found -1"));
        assert_eq!(Npy::from_u8(&[2, 1], &[3, 255]).to_labels().unwrap(), [3, 255]);
        assert!(Npy::from_u8(&[1, 2], &[3, 255]).to_labels().is_err());
        assert!(Npy::from_f32(&[1], &[1.0]).to_labels().unwrap_err().to_string().contains("integer type"));
        let wide = Npy { element: Element::Int { size: 8, signed: false }, shape: vec![1], bytes: vec![255; 8] };
        assert_eq!(wide.to_i64(), None);
        assert_eq!(
            Npy { element: Element::Int { size: 2, signed: true }, shape: vec![1], bytes: vec![0xfe, 0xff] }.to_f32(),
            [-2.0]
        );
    }
}
