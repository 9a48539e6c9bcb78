//! Values of tensors as bytes, by the numbers of tensorflow/core/framework/types.proto.

use crate::numbers::half;

/// Float32.
pub(crate) const FLOAT: i32 = 1;
const DOUBLE: i32 = 2;
const INT32: i32 = 3;
/// Bytes of any length.
pub(crate) const STRING: i32 = 7;
/// A signed integer of eight bytes.
pub(crate) const INT64: i32 = 9;
const BFLOAT16: i32 = 14;
const HALF: i32 = 19;

/// Bytes of one value; `None` for types that are not read.
pub(crate) fn size(dtype: i32) -> Option<usize> {
    match dtype {
        FLOAT | INT32 => Some(4),
        DOUBLE | INT64 => Some(8),
        BFLOAT16 | HALF => Some(2),
        _ => None,
    }
}

/// Whether a type holds fractions.
pub(crate) fn is_float(dtype: i32) -> bool {
    matches!(dtype, FLOAT | DOUBLE | BFLOAT16 | HALF)
}

/// What a type is called.
pub(crate) fn name(dtype: i32) -> String {
    match dtype {
        FLOAT => "float32".into(),
        DOUBLE => "float64".into(),
        INT32 => "int32".into(),
        STRING => "string".into(),
        INT64 => "int64".into(),
        10 => "bool".into(),
        BFLOAT16 => "bfloat16".into(),
        HALF => "float16".into(),
        other => format!("type {other}"),
    }
}

/// Little-endian floats of a type, wider ones rounded to the nearest.
pub(crate) fn floats(dtype: i32, bytes: &[u8]) -> Result<Vec<f32>, String> {
    Ok(match dtype {
        FLOAT => words(bytes).map(f32::from_le_bytes).collect(),
        DOUBLE => words(bytes).map(|b| f64::from_le_bytes(b) as f32).collect(),
        BFLOAT16 => words(bytes).map(|b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16)).collect(),
        HALF => words(bytes).map(|b| half(u16::from_le_bytes(b))).collect(),
        other => return Err(format!("expected floating-point numbers, got {}", name(other))),
    })
}

/// One little-endian integer.
pub(crate) fn integer(dtype: i32, bytes: &[u8]) -> Result<i64, String> {
    let value = match dtype {
        INT32 => words(bytes).next().map(|b| i64::from(i32::from_le_bytes(b))),
        INT64 => words(bytes).next().map(i64::from_le_bytes),
        _ => None,
    };
    value.ok_or_else(|| format!("expected an integer, got {}", name(dtype)))
}

fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_of_float() {
        assert_eq!(floats(DOUBLE, &1.5f64.to_le_bytes()).unwrap(), [1.5]);
        assert_eq!(floats(BFLOAT16, &[0x80, 0x3f, 0x20, 0xc1]).unwrap(), [1.0, -10.0]);
        assert_eq!(floats(HALF, &[0x00, 0xc0]).unwrap(), [-2.0]);
        assert_eq!(floats(STRING, &[]).unwrap_err(), "expected floating-point numbers, got string");
        assert_eq!(integer(INT32, &(-3i32).to_le_bytes()).unwrap(), -3);
        assert_eq!(integer(FLOAT, &[0; 4]).unwrap_err(), "expected an integer, got float32");
    }
}
