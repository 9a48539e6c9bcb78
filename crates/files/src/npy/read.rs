//! Reading `.npy`.

use super::Npy;
use super::header::parse_header;
use crate::error::FormatError;
use crate::room::{array_bytes, read_exactly};
use std::io::Read;

/// Headers beyond this many bytes are taken for a damaged file: NumPy's of plain arrays have 128.
const MOST_HEADER: usize = 1 << 16;

impl Npy {
    /// Reads an array. `length` is what the input holds unpacked, `packed` what it takes where it is deflated; an array of more than `limit`
    /// bytes is refused.
    ///
    /// # Errors
    /// [`FormatError`]: not npy, a type that is not read, shorter or longer than its header says, or too large.
    pub fn read(mut input: impl Read, length: u64, packed: Option<u64>, limit: u64) -> Result<Npy, FormatError> {
        let mut magic = [0u8; 8];
        take(&mut input, &mut magic)?;
        let [b'\x93', b'N', b'U', b'M', b'P', b'Y', major, _] = magic else {
            let expected = "a NumPy array, which starts with \\x93NUMPY";
            return Err(FormatError::malformed(expected, magic[..6].escape_ascii()));
        };
        let (header, before) = match major {
            1 => {
                let mut size = [0u8; 2];
                take(&mut input, &mut size)?;
                (usize::from(u16::from_le_bytes(size)), 10)
            }
            2 | 3 => {
                let mut size = [0u8; 4];
                take(&mut input, &mut size)?;
                (u32::from_le_bytes(size) as usize, 12)
            }
            _ => return Err(FormatError::malformed("format version 1, 2 or 3", major)),
        };
        if header > MOST_HEADER {
            let (found, limit) = (header as u64, MOST_HEADER as u64);
            return Err(FormatError::TooLarge { what: "the size of its header", found, limit });
        }
        let mut text = vec![0u8; header];
        take(&mut input, &mut text)?;
        let header = parse_header(&String::from_utf8_lossy(&text))?;
        let element = header.encoding.element;
        let size = array_bytes(&header.shape, element.size(), limit)?;
        let expected = (before + text.len()) as u64 + size;
        if length != expected {
            return Err(FormatError::Length { expected, found: length });
        }
        let mut bytes = read_exactly(input, size, packed)?;
        if header.encoding.big_endian {
            bytes.chunks_exact_mut(element.size()).for_each(<[u8]>::reverse);
        }
        if header.fortran && header.shape.len() > 1 {
            bytes = row_major(&bytes, &header.shape, element.size());
        }
        Ok(Npy { element, shape: header.shape, bytes })
    }
}

/// Elements of `size` bytes that lie column by column (Fortran's order), row by row.
fn row_major(stored: &[u8], shape: &[usize], size: usize) -> Vec<u8> {
    // Element (i, j, …) of a column-major array is at i + rows·(j + …).
    let mut index = vec![0usize; shape.len()];
    let mut bytes = Vec::with_capacity(stored.len());
    for _ in 0..stored.len() / size {
        let at = size * index.iter().zip(shape).rev().fold(0, |at, (i, n)| at * n + i);
        bytes.extend_from_slice(stored.get(at..at + size).unwrap_or_default());
        for (i, n) in index.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < *n {
                break;
            }
            *i = 0;
        }
    }
    bytes
}

fn take(input: &mut impl Read, out: &mut [u8]) -> Result<(), FormatError> {
    let missing = |error| FormatError::malformed("the header of a NumPy array", format!("no more data ({error})"));
    input.read_exact(out).map_err(missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numbers::Element;
    use proptest::prelude::*;

    const LIMIT: u64 = 1 << 16;

    fn parse(bytes: &[u8]) -> Result<Npy, FormatError> {
        Npy::read(&mut &bytes[..], bytes.len() as u64, None, LIMIT)
    }

    /// `version` and dictionary as given, then `body`.
    fn file(version: u8, dictionary: &str, body: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        match version {
            1 => bytes.extend((dictionary.len() as u16).to_le_bytes()),
            _ => bytes.extend((dictionary.len() as u32).to_le_bytes()),
        }
        [&bytes, dictionary.as_bytes(), body].concat()
    }

    #[test]
    fn all_three_versions_and_both_byte_orders() {
        for version in 1..=3 {
            let little = file(version, "{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }\n", &[1, 0, 0, 1]);
            let big = file(version, "{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }\n", &[0, 1, 1, 0]);
            for bytes in [little, big] {
                let array = parse(&bytes).unwrap();
                assert_eq!((array.shape.clone(), array.to_i64().unwrap()), (vec![2], vec![1, 256]));
            }
        }
        let error = parse(&file(4, "{}", &[])).unwrap_err().to_string();
        assert_eq!(error, "expected format version 1, 2 or 3, found 4");
    }

    #[test]
    fn what_is_written_is_read() {
        let deep: Vec<f32> = (0..6).map(|i| i as f32 / 3.0).collect();
        let arrays = [
            Npy::from_f32(&[2, 1], &[1.5, -2.0]),
            Npy::from_i64(&[], &[7]),
            Npy::from_u8(&[0, 3], &[]),
            Npy::from_f32(&[1, 2, 3, 1], &deep),
        ];
        for array in arrays {
            let bytes = array.to_bytes().unwrap();
            assert_eq!(parse(&bytes), Ok(array.clone()));
            assert_eq!((bytes.len() - array.bytes.len()) % 64, 0);
        }
    }

    #[test]
    fn other_types_and_orders() {
        let read = |descr: &str, fortran: &str, shape: &str, data: &[u8]| {
            let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
            parse(&file(1, &header, data)).map(|array| array.to_f32())
        };
        assert_eq!(read(">f8", "False", "(1,)", &1.5f64.to_be_bytes()).unwrap(), [1.5]);
        assert_eq!(read("<f2", "False", "()", &[0, 0x3c]).unwrap(), [1.0]);
        // numpy.asfortranarray([[0, 1, 2], [3, 4, 5]]) lies as 0 3 1 4 2 5.
        assert_eq!(read("|u1", "True", "(2, 3)", &[0, 3, 1, 4, 2, 5]).unwrap(), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        for (descr, shape) in [("<c8", "(1,)"), ("|O", "(1,)"), ("<f4", "(-1,)"), ("<f4", "(99999999999, 99999999999)")] {
            read(descr, "False", shape, &[0; 8]).unwrap_err();
        }
    }

    #[test]
    fn sizes_are_exact() {
        let bytes = Npy::from_u8(&[4], &[1, 2, 3, 4]).to_bytes().unwrap();
        let error = parse(&bytes[..131]).unwrap_err().to_string();
        assert_eq!(error, "expected 132 bytes, found 131: the file is cut short, fetch it again");
        let error = parse(&[&bytes[..], &[0]].concat()).unwrap_err().to_string();
        assert!(error.contains("something behind the data"), "{error}");
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_an_error_or_an_array_of_the_announced_size() {
        let whole = Npy::from_f32(&[2, 3], &[0.5; 6]).to_bytes().unwrap();
        assert!((0..whole.len()).all(|cut| parse(&whole[..cut]).is_err()));
        for bit in 0..8 * whole.len() {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(array) = parse(&bytes) {
                assert_eq!(array.bytes.len(), array.shape.iter().product::<usize>() * array.element.size());
            }
        }
    }

    proptest! {
        #[test]
        fn random_headers_never_panic(version in 0u8..5, text in "[{}'(),:0-9a-z<>|\" \\PC]{0,80}", body in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(array) = parse(&file(version, &text, &body)) {
                prop_assert!(array.bytes.capacity() as u64 <= LIMIT);
            }
        }

        #[test]
        fn random_shapes_are_read_or_refused(sides in prop::collection::vec(any::<usize>(), 0..6), small in prop::collection::vec(0usize..4, 0..4)) {
            for shape in [sides, small.clone()] {
                let text = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({})}}", shape.iter().map(|s| format!("{s},")).collect::<String>());
                let count = if shape == small { small.iter().product() } else { 0 };
                if let Ok(array) = parse(&file(1, &text, &vec![1; count])) {
                    prop_assert_eq!(array.shape, shape);
                    prop_assert_eq!(array.element, Element::U8);
                } else {
                    prop_assert!(shape != small);
                }
            }
        }
    }
}
