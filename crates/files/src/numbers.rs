//! Bytes of an array as numbers, whatever float or integer type a file has.

use std::fmt;

/// How the elements of an array are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// One byte, 0 or 1.
    Bool,
    /// IEEE 754 binary16.
    F16,
    /// The upper half of an [`Element::F32`].
    BF16,
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
    /// Two's complement, or unsigned.
    Int {
        /// Bytes: 1, 2, 4 or 8.
        size: usize,
        /// Whether it can be negative.
        signed: bool,
    },
}

impl Element {
    /// Unsigned bytes.
    pub const U8: Self = Self::Int { size: 1, signed: false };
    /// Signed integers of eight bytes.
    pub const I64: Self = Self::Int { size: 8, signed: true };

    /// Bytes of one element.
    pub const fn size(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::F16 | Self::BF16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Int { size, .. } => size,
        }
    }
}

/// As NumPy names it: `float32`, `uint8`.
impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::BF16 => f.write_str("bfloat16"),
            Self::F16 | Self::F32 | Self::F64 => write!(f, "float{}", 8 * self.size()),
            Self::Int { size, signed } => write!(f, "{}int{}", if *signed { "" } else { "u" }, 8 * size),
        }
    }
}

/// An element type and its byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// The type.
    pub element: Element,
    /// Whether the most significant byte comes first.
    pub big_endian: bool,
}

impl Encoding {
    /// Elements of that kind, least byte first.
    pub const fn little(element: Element) -> Encoding {
        Encoding { element, big_endian: false }
    }

    /// Bytes per element.
    pub fn size(self) -> usize {
        self.element.size()
    }

    /// The elements as f32, wider ones rounded to the nearest.
    pub fn to_f32(self, bytes: &[u8]) -> Vec<f32> {
        match self.element {
            Element::F16 => self.words::<2>(bytes).map(|b| half(u16::from_le_bytes(b))).collect(),
            Element::BF16 => self.words::<2>(bytes).map(|b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)).collect(),
            Element::F32 => self.words::<4>(bytes).map(f32::from_le_bytes).collect(),
            Element::F64 => self.words::<8>(bytes).map(|b| f64::from_le_bytes(b) as f32).collect(),
            Element::Int { size: 8, signed: false } => self.words::<8>(bytes).map(|b| u64::from_le_bytes(b) as f32).collect(),
            Element::Bool | Element::Int { .. } => self.to_i64(bytes).unwrap_or_default().into_iter().map(|v| v as f32).collect(),
        }
    }

    /// The elements as i64; `None` for floating point, and for what is beyond i64.
    pub fn to_i64(self, bytes: &[u8]) -> Option<Vec<i64>> {
        let (size, signed) = match self.element {
            Element::Bool => (1, false),
            Element::Int { size, signed } => (size, signed),
            Element::F16 | Element::BF16 | Element::F32 | Element::F64 => return None,
        };
        match (size, signed) {
            (1, true) => Some(bytes.iter().map(|&b| i64::from(b as i8)).collect()),
            (1, false) => Some(bytes.iter().map(|&b| i64::from(b)).collect()),
            (2, true) => Some(self.words::<2>(bytes).map(|b| i64::from(i16::from_le_bytes(b))).collect()),
            (2, false) => Some(self.words::<2>(bytes).map(|b| i64::from(u16::from_le_bytes(b))).collect()),
            (4, true) => Some(self.words::<4>(bytes).map(|b| i64::from(i32::from_le_bytes(b))).collect()),
            (4, false) => Some(self.words::<4>(bytes).map(|b| i64::from(u32::from_le_bytes(b))).collect()),
            (_, true) => Some(self.words::<8>(bytes).map(i64::from_le_bytes).collect()),
            (_, false) => self.words::<8>(bytes).map(|b| i64::try_from(u64::from_le_bytes(b)).ok()).collect(),
        }
    }

    /// The elements as little-endian bytes.
    fn words<const N: usize>(self, bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
        let big_endian = self.big_endian;
        bytes.as_chunks::<N>().0.iter().map(move |word| {
            let mut word = *word;
            if big_endian {
                word.reverse();
            }
            word
        })
    }
}

/// The bytes of f32 values, least byte first.
pub fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// IEEE 754 binary16.
pub fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let mantissa = f32::from(bits & 0x3ff);
    match exponent {
        0 => sign * mantissa * 2f32.powi(-24),
        31 if mantissa == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        _ => sign * (1.0 + mantissa / 1024.0) * 2f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_by_known_values() {
        let known =
            [(0x3c00, 1.0), (0xc000, -2.0), (0x7bff, 65504.0), (0x3555, 0.333_251_95), (0x0001, 5.960_464_5e-8), (0x8000, -0.0)];
        for (bits, value) in known {
            assert_eq!(half(bits), value, "{bits:04x}");
        }
        assert_eq!(half(0x7c00), f32::INFINITY);
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn integers_and_byte_orders() {
        let read = |size, signed, big_endian, bytes: &[u8]| {
            Encoding { element: Element::Int { size, signed }, big_endian }.to_i64(bytes)
        };
        assert_eq!(read(2, true, false, &[0xfe, 0xff, 1, 0]), Some(vec![-2, 1]));
        assert_eq!(read(2, false, true, &[0x01, 0x02]), Some(vec![258]));
        assert_eq!(read(8, false, false, &[0xff; 8]), None);
        let most = Encoding::little(Element::Int { size: 8, signed: false }).to_f32(&[0xff; 8]);
        assert_eq!(most, [u64::MAX as f32]);
        assert_eq!(Encoding::little(Element::Bool).to_i64(&[0, 1]), Some(vec![0, 1]));
        let big = Encoding { element: Element::F64, big_endian: true };
        assert_eq!(big.to_f32(&1.5f64.to_be_bytes()), [1.5]);
        let bf16 = Encoding { element: Element::BF16, big_endian: false };
        assert_eq!(bf16.to_f32(&[0x80, 0x3f, 0x20, 0xc1]), [1.0, -10.0]);
    }
}
