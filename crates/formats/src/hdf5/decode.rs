//! The element types of HDF5 that are read.

use crate::numbers::{Element, Encoding};
use hdf5_pure::{Datatype, DatatypeByteOrder, FloatingPointLayout};

/// The encoding of a datatype; `marked` is Keras' attribute `dtype`, which bfloat16 needs.
pub(super) fn encoding(datatype: &Datatype, marked: Option<&str>) -> Result<Encoding, String> {
    let big = |order: &DatatypeByteOrder| match order {
        DatatypeByteOrder::LittleEndian => Ok(false),
        DatatypeByteOrder::BigEndian => Ok(true),
        DatatypeByteOrder::Vax => Err("VAX byte order is not read".to_string()),
    };
    let bfloat16 = marked == Some("bfloat16");
    match datatype {
        Datatype::FloatingPoint { size, byte_order, layout } => {
            let element = match size {
                4 if *layout == FloatingPointLayout::IEEE754_BINARY32 => Element::F32,
                8 if *layout == FloatingPointLayout::IEEE754_BINARY64 => Element::F64,
                2 if layout.exponent_size == 8 && layout.mantissa_size == 7 => Element::BF16,
                2 if layout.exponent_size == 5 && layout.mantissa_size == 10 && !bfloat16 => Element::F16,
                2 if bfloat16 => Element::BF16,
                _ => {
                    return Err(format!(
                        "a floating-point type of {size} bytes with {} exponent bits is not read",
                        layout.exponent_size
                    ));
                }
            };
            Ok(Encoding { element, big_endian: big(byte_order)? })
        }
        Datatype::FixedPoint { size: 2, byte_order, .. } if bfloat16 => {
            Ok(Encoding { element: Element::BF16, big_endian: big(byte_order)? })
        }
        Datatype::Opaque { size: 2, .. } if bfloat16 => Ok(Encoding { element: Element::BF16, big_endian: false }),
        Datatype::FixedPoint { size: size @ (1 | 2 | 4 | 8), byte_order, layout }
            if layout.bit_offset == 0 && u32::from(layout.bit_precision) == size * 8 =>
        {
            let element = Element::Int { size: *size as usize, signed: layout.signed };
            Ok(Encoding { element, big_endian: big(byte_order)? })
        }
        other => Err(format!("expected floating-point or integer numbers, got {}", kind(other))),
    }
}

fn kind(datatype: &Datatype) -> &'static str {
    match datatype {
        Datatype::FixedPoint { .. } => "integers of an unusual layout",
        Datatype::String { .. } | Datatype::VariableLength { is_string: true, .. } => "text",
        Datatype::Compound { .. } => "records",
        Datatype::Opaque { .. } => "opaque bytes",
        Datatype::Reference { .. } => "references",
        Datatype::Enumeration { .. } => "an enumeration",
        _ => "something else",
    }
}
