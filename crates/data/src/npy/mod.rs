//! NumPy's `.npy`: one array, with a header that says type and shape.
//!
//! Format versions 1, 2 and 3 of NEP 1 (<https://numpy.org/neps/nep-0001-npy-format.html>), C order only.

mod header;
mod read;
mod write;

pub use header::ElementType;
pub(crate) use read::read_from;
pub use read::{parse, read};
pub use write::{to_bytes, write};

use crate::error::DataError;

/// An array of a `.npy` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Npy {
    /// Type of the elements.
    pub element: ElementType,
    /// The sides, slowest first; empty for a single number.
    pub shape: Vec<usize>,
    /// The elements, little-endian whatever the file had, the last dimension fastest.
    pub bytes: Vec<u8>,
}

impl Npy {
    /// An array of `f32`, `shape` as given.
    pub fn from_f32(shape: &[usize], values: &[f32]) -> Self {
        Self::from_elements(ElementType::F32, shape, values, |v| v.to_le_bytes())
    }

    /// An array of `i64`, `shape` as given.
    pub fn from_i64(shape: &[usize], values: &[i64]) -> Self {
        Self::from_elements(ElementType::I64, shape, values, |v| v.to_le_bytes())
    }

    /// An array of `u8`, `shape` as given.
    pub fn from_u8(shape: &[usize], values: &[u8]) -> Self {
        Self::from_elements(ElementType::U8, shape, values, |v| [v])
    }

    fn from_elements<T: Copy, const N: usize>(
        element: ElementType,
        shape: &[usize],
        values: &[T],
        bytes: impl Fn(T) -> [u8; N],
    ) -> Self {
        Npy { element, shape: shape.to_vec(), bytes: values.iter().flat_map(|v| bytes(*v)).collect() }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.element.width()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The elements as `f32`, integers and `f64` rounded to the nearest.
    pub fn to_f32(&self) -> Vec<f32> {
        let b = &self.bytes;
        match self.element {
            ElementType::Bool | ElementType::U8 => b.iter().map(|&v| f32::from(v)).collect(),
            ElementType::I8 => b.iter().map(|&v| f32::from(v as i8)).collect(),
            ElementType::U16 => each(b, u16::from_le_bytes).map(f32::from).collect(),
            ElementType::I16 => each(b, i16::from_le_bytes).map(f32::from).collect(),
            ElementType::U32 => each(b, u32::from_le_bytes).map(|v| v as f32).collect(),
            ElementType::I32 => each(b, i32::from_le_bytes).map(|v| v as f32).collect(),
            ElementType::U64 => each(b, u64::from_le_bytes).map(|v| v as f32).collect(),
            ElementType::I64 => each(b, i64::from_le_bytes).map(|v| v as f32).collect(),
            ElementType::F32 => each(b, f32::from_le_bytes).collect(),
            ElementType::F64 => each(b, f64::from_le_bytes).map(|v| v as f32).collect(),
        }
    }

    /// The elements as `i64`; `None` when they are floating point or beyond it.
    pub fn to_i64(&self) -> Option<Vec<i64>> {
        let b = &self.bytes;
        match self.element {
            ElementType::Bool | ElementType::U8 => Some(b.iter().map(|&v| i64::from(v)).collect()),
            ElementType::I8 => Some(b.iter().map(|&v| i64::from(v as i8)).collect()),
            ElementType::U16 => Some(each(b, u16::from_le_bytes).map(i64::from).collect()),
            ElementType::I16 => Some(each(b, i16::from_le_bytes).map(i64::from).collect()),
            ElementType::U32 => Some(each(b, u32::from_le_bytes).map(i64::from).collect()),
            ElementType::I32 => Some(each(b, i32::from_le_bytes).map(i64::from).collect()),
            ElementType::U64 => each(b, u64::from_le_bytes).map(|v| i64::try_from(v).ok()).collect(),
            ElementType::I64 => Some(each(b, i64::from_le_bytes).collect()),
            ElementType::F32 | ElementType::F64 => None,
        }
    }

    /// The elements as labels, `[count]`; `file` is the name errors use.
    ///
    /// # Errors
    /// [`DataError::Malformed`] when they are no integers, negative or beyond `u32`, or the shape is not `[count]` or `[count, 1]`.
    pub fn to_labels(&self, file: &str) -> Result<Vec<u32>, DataError> {
        if !matches!(self.shape[..], [_] | [_, 1]) {
            return Err(DataError::malformed(file, "labels of shape [count] or [count, 1]", format!("{:?}", self.shape)));
        }
        let values = self
            .to_i64()
            .ok_or_else(|| DataError::malformed(file, "labels of an integer type", format!("{:?}", self.element)))?;
        let label = |v: i64| u32::try_from(v).map_err(|_| DataError::malformed(file, "labels from 0 to 4294967295", v));
        values.into_iter().map(label).collect()
    }
}

/// The elements of `N` bytes each.
fn each<T, const N: usize>(bytes: &[u8], from: impl Fn([u8; N]) -> T) -> impl Iterator<Item = T> {
    bytes.as_chunks::<N>().0.iter().map(move |b| from(*b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions() {
        let array = Npy::from_i64(&[2], &[3, -1]);
        assert_eq!((array.len(), array.to_f32(), array.to_i64()), (2, vec![3.0, -1.0], Some(vec![3, -1])));
        assert!(array.to_labels("f").unwrap_err().to_string().contains("found -1"));
        assert_eq!(Npy::from_u8(&[2, 1], &[3, 255]).to_labels("f").unwrap(), [3, 255]);
        assert!(Npy::from_u8(&[1, 2], &[3, 255]).to_labels("f").is_err());
        assert!(Npy::from_f32(&[1], &[1.0]).to_labels("f").unwrap_err().to_string().contains("integer type"));
        let wide = Npy { element: ElementType::U64, shape: vec![1], bytes: vec![255; 8] };
        assert_eq!(wide.to_i64(), None);
        assert_eq!(Npy { element: ElementType::I16, shape: vec![1], bytes: vec![0xfe, 0xff] }.to_f32(), [-2.0]);
    }
}
