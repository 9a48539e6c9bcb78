//! Values of tensors as bytes, by the numbers of tensorflow/core/framework/types.proto.

use crate::numbers::{Element, Encoding};

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
    let element = match dtype {
        FLOAT => Element::F32,
        DOUBLE => Element::F64,
        BFLOAT16 => Element::BF16,
        HALF => Element::F16,
        other => return Err(format!("expected floating-point numbers, got {}", name(other))),
    };
    Ok(Encoding::little(element).to_f32(bytes))
}

/// One little-endian integer.
pub(crate) fn integer(dtype: i32, bytes: &[u8]) -> Result<i64, String> {
    let size = match dtype {
        INT32 => Some(4),
        INT64 => Some(8),
        _ => None,
    };
    let values = size.and_then(|size| Encoding::little(Element::Int { size, signed: true }).to_i64(bytes));
    values.and_then(|values| values.first().copied()).ok_or_else(|| format!("expected an integer, got {}", name(dtype)))
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
