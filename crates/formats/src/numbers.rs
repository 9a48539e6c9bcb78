//! Bytes of an array as numbers, whatever float or integer type a file has.

/// How the elements of an array are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    F16,
    BF16,
    F32,
    F64,
    Int { size: usize, signed: bool },
}

/// An element type and its byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Encoding {
    pub(crate) element: Element,
    pub(crate) big_endian: bool,
}

impl Encoding {
    /// Elements of that kind, least byte first.
    pub(crate) const fn little(element: Element) -> Encoding {
        Encoding { element, big_endian: false }
    }

    /// Bytes per element.
    pub(crate) fn size(self) -> usize {
        match self.element {
            Element::F16 | Element::BF16 => 2,
            Element::F32 => 4,
            Element::F64 => 8,
            Element::Int { size, .. } => size,
        }
    }

    /// The elements as f32, wider ones rounded to the nearest.
    pub(crate) fn to_f32(self, bytes: &[u8]) -> Vec<f32> {
        match self.element {
            Element::F16 => self.words::<2>(bytes).map(|b| half(u16::from_le_bytes(b))).collect(),
            Element::BF16 => self.words::<2>(bytes).map(|b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)).collect(),
            Element::F32 => self.words::<4>(bytes).map(f32::from_le_bytes).collect(),
            Element::F64 => self.words::<8>(bytes).map(|b| f64::from_le_bytes(b) as f32).collect(),
            Element::Int { .. } => self.to_i64(bytes).unwrap_or_default().into_iter().map(|v| v as f32).collect(),
        }
    }

    /// The elements as i64; `None` for floating point, and for what is beyond i64.
    pub(crate) fn to_i64(self, bytes: &[u8]) -> Option<Vec<i64>> {
        let Element::Int { size, signed } = self.element else { return None };
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
pub(crate) fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// IEEE 754 binary16.
pub(crate) fn half(bits: u16) -> f32 {
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
        let big = Encoding { element: Element::F64, big_endian: true };
        assert_eq!(big.to_f32(&1.5f64.to_be_bytes()), [1.5]);
        let bf16 = Encoding { element: Element::BF16, big_endian: false };
        assert_eq!(bf16.to_f32(&[0x80, 0x3f, 0x20, 0xc1]), [1.0, -10.0]);
    }
}
