//! Reading `.npy`.

use std::io::{BufReader, Read};
use std::path::Path;

use super::Npy;
use super::header::parse_header;
use crate::error::DataError;
use crate::limits::{Limits, array_bytes, read_exactly};

/// Headers beyond this many bytes are taken for a damaged file: NumPy's of plain arrays have 128.
const MOST_HEADER: usize = 1 << 16;

/// Reads a `.npy` file.
///
/// # Errors
/// [`DataError`] naming the file: unreadable, not npy, a type that is not read, Fortran order, shorter or longer than its header
/// says, or beyond `limits`.
pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Npy, DataError> {
    let path = path.as_ref();
    let file = maobi_guard::open_file(path).map_err(DataError::read(path))?;
    let length = file.metadata().map_err(DataError::read(path))?.len();
    read_from(&path.display().to_string(), &mut BufReader::new(file), length, None, limits)
}

/// Reads `.npy` from memory; `file` is the name errors use.
///
/// # Errors
/// Those of [`read`].
pub fn parse(file: &str, mut bytes: &[u8], limits: &Limits) -> Result<Npy, DataError> {
    let length = bytes.len() as u64;
    read_from(file, &mut bytes, length, None, limits)
}

/// `length` is what the input holds unpacked, as far as is known; `packed` what it takes when it is deflated.
pub(crate) fn read_from(
    file: &str,
    input: &mut impl Read,
    length: u64,
    packed: Option<u64>,
    limits: &Limits,
) -> Result<Npy, DataError> {
    let mut magic = [0u8; 8];
    take(file, input, &mut magic)?;
    let [b'\x93', b'N', b'U', b'M', b'P', b'Y', major, _] = magic else {
        return Err(DataError::malformed(file, "a NumPy array, which starts with \\x93NUMPY", magic[..6].escape_ascii()));
    };
    let (header, before) = match major {
        1 => {
            let mut size = [0u8; 2];
            take(file, input, &mut size)?;
            (usize::from(u16::from_le_bytes(size)), 10)
        }
        2 | 3 => {
            let mut size = [0u8; 4];
            take(file, input, &mut size)?;
            (u32::from_le_bytes(size) as usize, 12)
        }
        _ => return Err(DataError::malformed(file, "format version 1, 2 or 3", major)),
    };
    if header > MOST_HEADER {
        let (found, limit) = (header as u64, MOST_HEADER as u64);
        return Err(DataError::TooLarge { file: file.to_owned(), what: "the size of its header", found, limit });
    }
    let mut text = vec![0u8; header];
    take(file, input, &mut text)?;
    let header = parse_header(file, &String::from_utf8_lossy(&text))?;
    let size = array_bytes(file, &header.shape, header.element.width(), limits)?;
    let expected = (before + text.len()) as u64 + size;
    if length != expected {
        return Err(DataError::Length { file: file.to_owned(), expected, found: length });
    }
    let mut bytes = read_exactly(file, input, size, packed)?;
    if header.big_endian {
        bytes.chunks_exact_mut(header.element.width()).for_each(<[u8]>::reverse);
    }
    Ok(Npy { element: header.element, shape: header.shape, bytes })
}

fn take(file: &str, input: &mut impl Read, out: &mut [u8]) -> Result<(), DataError> {
    input
        .read_exact(out)
        .map_err(|error| DataError::malformed(file, "the header of a NumPy array", format!("no more data ({error})")))
}

#[cfg(test)]
mod tests {
    use super::super::{ElementType, to_bytes, write};
    use super::*;
    use crate::damage::{cuts, flips};
    use proptest::prelude::*;

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
                let array = parse("f", &bytes, &Limits::default()).unwrap();
                assert_eq!((array.shape.clone(), array.to_i64().unwrap()), (vec![2], vec![1, 256]));
            }
        }
        let error = parse("f", &file(4, "{}", &[]), &Limits::default()).unwrap_err().to_string();
        assert_eq!(error, "f: expected format version 1, 2 or 3, found 4");
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        for array in [Npy::from_f32(&[2, 1], &[1.5, -2.0]), Npy::from_i64(&[], &[7]), Npy::from_u8(&[0, 3], &[])] {
            write(&path, &array).unwrap();
            assert_eq!(read(&path, &Limits::default()).unwrap(), array);
        }
    }

    #[test]
    fn sizes_are_exact() {
        let bytes = to_bytes("f", &Npy::from_u8(&[4], &[1, 2, 3, 4])).unwrap();
        let error = parse("f", &bytes[..131], &Limits::default()).unwrap_err().to_string();
        assert_eq!(error, "f: expected 132 bytes, found 131: the file is cut short, fetch it again");
        let error = parse("f", &[&bytes[..], &[0]].concat(), &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("something behind the data"), "{error}");
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_an_error_or_an_array_of_the_announced_size() {
        let limits = Limits { max_bytes: 1 << 16, ..Limits::default() };
        let whole = to_bytes("f", &Npy::from_f32(&[2, 3], &[0.5; 6])).unwrap();
        assert!(cuts(&whole).all(|bytes| parse("f", bytes, &limits).is_err()));
        for array in flips(&whole).filter_map(|bytes| parse("f", &bytes, &limits).ok()) {
            assert_eq!(array.bytes.len(), array.shape.iter().product::<usize>() * array.element.width());
        }
    }

    proptest! {
        #[test]
        fn random_headers_never_panic(version in 0u8..5, text in "[{}'(),:0-9a-z<>|\" \\PC]{0,80}", body in prop::collection::vec(any::<u8>(), 0..64)) {
            let limits = Limits { max_bytes: 1 << 12, ..Limits::default() };
            if let Ok(array) = parse("f", &file(version, &text, &body), &limits) {
                prop_assert!(array.bytes.capacity() as u64 <= limits.max_bytes);
            }
        }

        #[test]
        fn random_shapes_are_read_or_refused(sides in prop::collection::vec(any::<usize>(), 0..6), small in prop::collection::vec(0usize..4, 0..4)) {
            let limits = Limits { max_bytes: 1 << 12, ..Limits::default() };
            for shape in [sides, small.clone()] {
                let text = format!("{{'descr': '|u1', 'fortran_order': False, 'shape': ({})}}", shape.iter().map(|s| format!("{s},")).collect::<String>());
                let count = if shape == small { small.iter().product() } else { 0 };
                if let Ok(array) = parse("f", &file(1, &text, &vec![1; count]), &limits) {
                    prop_assert_eq!(array.shape, shape);
                    prop_assert_eq!(array.element, ElementType::U8);
                } else {
                    prop_assert!(shape != small);
                }
            }
        }
    }
}
