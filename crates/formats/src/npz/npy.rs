//! NumPy's `.npy`: one array (NEP 1, <https://numpy.org/neps/nep-0001-npy-format.html>), in both orders of axes.

use crate::numbers::{Element, Encoding};
use std::ops::Range;

/// Most axes of an array that is read.
const MAX_AXES: usize = 8;
/// Longest header that is read.
const MAX_HEADER: usize = 1 << 16;

/// What the header says, and where the elements are.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    encoding: Encoding,
    fortran: bool,
    data: Range<usize>,
}

impl Array {
    /// The elements as f32, row-major; `bytes` is what was parsed.
    pub(super) fn to_f32(&self, bytes: &[u8]) -> Vec<f32> {
        let stored = self.encoding.to_f32(bytes.get(self.data.clone()).unwrap_or_default());
        if !self.fortran || self.shape.len() < 2 {
            return stored;
        }
        // Element (i, j, …) of a column-major array is at i + rows·(j + …).
        let mut index = vec![0usize; self.shape.len()];
        let mut values = Vec::with_capacity(stored.len());
        for _ in 0..stored.len() {
            let at = index.iter().zip(&self.shape).rev().fold(0, |at, (i, n)| at * n + i);
            values.extend(stored.get(at));
            for (i, n) in index.iter_mut().zip(&self.shape).rev() {
                *i += 1;
                if *i < *n {
                    break;
                }
                *i = 0;
            }
        }
        values
    }
}

/// Reads the header; the elements must be there in full.
pub(super) fn parse(bytes: &[u8]) -> Result<Array, String> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("not a NumPy array")?;
    let (len, start) = match rest {
        [1, _, a, b, ..] => (usize::from(u16::from_le_bytes([*a, *b])), 10),
        [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 12),
        _ => return Err("a version of NumPy's format that is not read, or cut short".into()),
    };
    let end = start + len.min(MAX_HEADER + 1);
    let text = bytes.get(start..end).filter(|_| len <= MAX_HEADER).ok_or("the header is cut short or too long")?;
    let text = std::str::from_utf8(text).map_err(|_| "the header is not text")?;
    let (encoding, fortran, shape) = header(text).ok_or_else(|| {
        let shown: String = text.trim_end().chars().take(80).collect();
        format!("expected floats or integers with a header like {{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3)}}, got {shown}")
    })?;
    let size = shape.iter().try_fold(encoding.size(), |size, &n| size.checked_mul(n));
    let data = size.and_then(|size| Some(end..end.checked_add(size)?)).filter(|data| data.end == bytes.len());
    let data = data.ok_or_else(|| format!("shape {shape:?} does not take the {} bytes that are there", bytes.len() - end))?;
    Ok(Array { shape, encoding, fortran, data })
}

/// Type, order and shape of a header's dictionary.
fn header(text: &str) -> Option<(Encoding, bool, Vec<usize>)> {
    let value = |key: &str| {
        let after = text.split_once(&format!("'{key}'"))?.1.trim_start().strip_prefix(':')?;
        Some(after.trim_start())
    };
    let descr = value("descr")?.strip_prefix('\'')?.split_once('\'')?.0;
    let fortran = match value("fortran_order")? {
        order if order.starts_with("True") => true,
        order if order.starts_with("False") => false,
        _ => return None,
    };
    let axes = value("shape")?.strip_prefix('(')?.split_once(')')?.0;
    let axes = axes.split(',').map(str::trim).filter(|axis| !axis.is_empty());
    let shape: Vec<usize> = axes.map(|axis| axis.trim_end_matches('L').parse().ok()).collect::<Option<_>>()?;
    if shape.len() > MAX_AXES {
        return None;
    }
    let (order, code) = descr.split_at_checked(1)?;
    let element = match code {
        "f2" => Element::F16,
        "f4" => Element::F32,
        "f8" => Element::F64,
        _ => {
            let (kind, size) = code.split_at_checked(1)?;
            let size = size.parse().ok().filter(|size| [1, 2, 4, 8].contains(size))?;
            Element::Int {
                size,
                signed: if kind == "i" {
                    true
                } else if kind == "u" {
                    false
                } else {
                    return None;
                },
            }
        }
    };
    matches!(order, "<" | ">" | "|" | "=").then_some((Encoding { element, big_endian: order == ">" }, fortran, shape))
}

/// A file of version 1.
pub(super) fn to_bytes(shape: &[usize], values: &[f32]) -> Vec<u8> {
    let axes: String = match shape {
        [one] => format!("{one},"),
        several => several.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
    };
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({axes}), }}");
    // Elements begin at a multiple of 64 bytes, after a line break.
    let padding = 63 - (10 + header.len()) % 64;
    header.extend(std::iter::repeat_n(' ', padding));
    header.push('\n');
    let mut bytes = Vec::with_capacity(10 + header.len() + 4 * values.len());
    bytes.extend_from_slice(b"\x93NUMPY\x01\x00");
    bytes.extend_from_slice(&(header.len() as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_come_back() {
        for shape in [vec![], vec![6], vec![2, 3], vec![1, 2, 3, 1]] {
            let values: Vec<f32> = (0..shape.iter().product::<usize>()).map(|i| i as f32 / 3.0).collect();
            let bytes = to_bytes(&shape, &values);
            assert_eq!(bytes.len() % 64, values.len() * 4 % 64);
            let array = parse(&bytes).unwrap();
            assert_eq!((&array.shape, array.to_f32(&bytes)), (&shape, values));
            for cut in 0..bytes.len() {
                parse(&bytes[..cut]).unwrap_err();
            }
        }
    }

    #[test]
    fn other_types_and_orders() {
        let file = |descr: &str, fortran: &str, shape: &str, data: &[u8]| {
            let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
            [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
        };
        let read = |bytes: Vec<u8>| parse(&bytes).map(|array| array.to_f32(&bytes));
        assert_eq!(read(file(">f8", "False", "(1,)", &1.5f64.to_be_bytes())).unwrap(), [1.5]);
        assert_eq!(read(file("<f2", "False", "()", &[0, 0x3c])).unwrap(), [1.0]);
        // numpy.asfortranarray([[0, 1, 2], [3, 4, 5]]) lies as 0 3 1 4 2 5.
        assert_eq!(read(file("|u1", "True", "(2, 3)", &[0, 3, 1, 4, 2, 5])).unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        for (descr, shape) in [("<c8", "(1,)"), ("|O", "(1,)"), ("<f4", "(-1,)"), ("<f4", "(99999999999, 99999999999)")] {
            read(file(descr, "False", shape, &[0; 8])).unwrap_err();
        }
    }
}
