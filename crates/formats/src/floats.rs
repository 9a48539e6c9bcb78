//! Little-endian numbers of several widths as f32, for formats that keep raw bytes.

use crate::numbers::half;

/// How the elements of a tensor are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Float {
    F16,
    BF16,
    F32,
    F64,
}

impl Float {
    /// The elements as f32, wider ones rounded to the nearest; bytes that make no whole element at the end are left aside.
    pub(crate) fn read(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Float::F16 => bytes.as_chunks::<2>().0.iter().map(|b| half(u16::from_le_bytes(*b))).collect(),
            Float::BF16 => bytes.as_chunks::<2>().0.iter().map(|b| bfloat16(u16::from_le_bytes(*b))).collect(),
            Float::F32 => bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Float::F64 => bytes.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        }
    }
}

/// The bytes of f32 values.
pub(crate) fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// The upper half of an f32.
pub(crate) fn bfloat16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_reads_the_same_numbers() {
        let values = [0.0f32, -1.5, 0.25, 65504.0, f32::INFINITY];
        assert_eq!(Float::F32.read(&to_bytes(&values)), values);
        let wide: Vec<u8> = values.iter().flat_map(|v| f64::from(*v).to_le_bytes()).collect();
        assert_eq!(Float::F64.read(&wide), values);
        let halves: Vec<u8> = [0x0000u16, 0xbe00, 0x3400, 0x7bff, 0x7c00].iter().flat_map(|b| b.to_le_bytes()).collect();
        assert_eq!(Float::F16.read(&halves), values);
        assert_eq!(bfloat16(0xbfc0), -1.5);
        assert_eq!(Float::BF16.read(&[0xc0, 0xbf, 7]), [-1.5]);
    }
}
