//! Reading IDX.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::header::read_header;
use super::{Element, Idx};
use crate::error::DataError;
use crate::limits::Limits;
use maobi_files::numbers::Encoding;
use maobi_files::{FormatError, array_bytes, read_exactly};

/// Reads an IDX file, packed with gzip or not: the first bytes tell, not the name.
///
/// # Errors
/// [`DataError`] naming the file: unreadable, not IDX, shorter or longer than its header says, or beyond `limits`.
pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Idx, DataError> {
    let path = path.as_ref();
    let file = maobi_guard::open_file(path).map_err(DataError::read(path))?;
    let length = file.metadata().map_err(DataError::read(path))?.len();
    read_from(&path.display().to_string(), BufReader::with_capacity(1 << 16, file), length, limits)
}

/// Reads IDX from memory; `file` is the name errors use.
///
/// # Errors
/// Those of [`read`].
pub fn parse(file: &str, bytes: &[u8], limits: &Limits) -> Result<Idx, DataError> {
    read_from(file, bytes, bytes.len() as u64, limits)
}

/// `length` is what the input holds, packed or not.
fn read_from(file: &str, mut input: impl BufRead, length: u64, limits: &Limits) -> Result<Idx, DataError> {
    let start = input.fill_buf().map_err(DataError::read(file))?;
    if !start.starts_with(&[0x1f, 0x8b]) {
        return read_array(file, &mut input, length, None, limits);
    }
    read_array(file, &mut MultiGzDecoder::new(input), length, Some(length), limits)
}

fn read_array(file: &str, input: &mut impl Read, length: u64, packed: Option<u64>, limits: &Limits) -> Result<Idx, DataError> {
    let (element, dims, header) = read_header(file, input)?;
    let size = array_bytes(&dims, element.size(), limits.max_bytes).map_err(DataError::content(file))?;
    if packed.is_none() && length != header + size {
        return Err(DataError::content(file)(FormatError::Length { expected: header + size, found: length }));
    }
    let bytes = read_exactly(input, size, packed).map_err(DataError::content(file))?;
    Ok(Idx { element, dims, bytes })
}

/// Reads images: `[count, height, width, channels]` as bytes, with `count` and `[height, width, channels]`.
///
/// Files of three dimensions have one channel, those of four hold the channels last.
///
/// # Errors
/// Those of [`read`], and [`DataError::Content`] when the elements are not bytes or the dimensions not three or four.
pub fn read_images(path: impl AsRef<Path>, limits: &Limits) -> Result<(Vec<u8>, usize, [usize; 3]), DataError> {
    let file = path.as_ref().display().to_string();
    let Idx { element, dims, bytes } = read(path, limits)?;
    if element != Element::U8 {
        return Err(DataError::malformed(&file, "images of type uint8 (code 08)", element));
    }
    match dims[..] {
        [count, height, width] => Ok((bytes, count, [height, width, 1])),
        [count, height, width, channels] => Ok((bytes, count, [height, width, channels])),
        _ => {
            let expected = "images of 3 dimensions (count, height, width) or 4 (with channels)";
            Err(DataError::malformed(&file, expected, format!("{dims:?}; are images and labels exchanged?")))
        }
    }
}

/// Reads labels of any integer type, `[count]`.
///
/// # Errors
/// Those of [`read`], and [`DataError::Content`] when there is more than one dimension, or a label is negative or no integer.
pub fn read_labels(path: impl AsRef<Path>, limits: &Limits) -> Result<Vec<u32>, DataError> {
    let file = path.as_ref().display().to_string();
    let array = read(path, limits)?;
    if array.dims.len() != 1 {
        let found = format!("{:?}; are images and labels exchanged?", array.dims);
        return Err(DataError::malformed(&file, "labels of 1 dimension (count)", found));
    }
    let values = Encoding { element: array.element, big_endian: true }.to_i64(&array.bytes);
    let values = values.ok_or_else(|| DataError::malformed(&file, "labels of an integer type", array.element))?;
    let label = |value: i64| u32::try_from(value).map_err(|_| DataError::malformed(&file, "labels of at least 0", value));
    values.into_iter().map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::{cuts, flips};
    use crate::idx::{write, write_gz};
    use proptest::prelude::*;
    use std::io::Write;

    /// Two images of 2 × 3.
    fn raw() -> Vec<u8> {
        let mut bytes = vec![0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3];
        bytes.extend(1..=12u8);
        bytes
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn message(bytes: &[u8]) -> String {
        parse("f", bytes, &Limits::default()).unwrap_err().to_string()
    }

    #[test]
    fn raw_and_packed_read_alike_whatever_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images.gz");
        std::fs::write(&path, raw()).unwrap();
        let (bytes, count, shape) = read_images(&path, &Limits::default()).unwrap();
        assert_eq!((count, shape), (2, [2, 3, 1]));
        assert_eq!(bytes, (1..=12).collect::<Vec<u8>>());
        std::fs::write(&path, packed(&raw())).unwrap();
        assert_eq!(read_images(&path, &Limits::default()).unwrap().0, bytes);
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let array = Idx { element: Element::Int { size: 2, signed: true }, dims: vec![3], bytes: vec![0, 1, 1, 0, 0, 9] };
        let path = folder.path().join("labels");
        write(&path, &array).unwrap();
        assert_eq!(read(&path, &Limits::default()).unwrap(), array);
        assert_eq!(read_labels(&path, &Limits::default()).unwrap(), [1, 256, 9]);
        write_gz(&path, &array).unwrap();
        assert_eq!(read(&path, &Limits::default()).unwrap(), array);
    }

    #[test]
    fn four_dimensions_hold_the_channels_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("images");
        write(&path, &Idx { element: Element::U8, dims: vec![1, 2, 1, 3], bytes: vec![7; 6] }).unwrap();
        assert_eq!(read_images(&path, &Limits::default()).unwrap().2, [2, 1, 3]);
    }

    #[test]
    fn sizes_off_by_one_are_named() {
        let whole = raw();
        assert_eq!(message(&whole[..27]), "f: expected 28 bytes, found 27: the file is cut short, fetch it again");
        let long = [&whole[..], &[0]].concat();
        assert_eq!(message(&long), "f: expected 28 bytes, found 29 or more: there is something behind the data");
        assert_eq!(message(&packed(&whole[..27])), "f: expected 12 bytes, found 11: the file is cut short, fetch it again");
        assert!(message(&packed(&long)).starts_with("f: expected 12 bytes, found 13 or more"));
        assert!(message(&[&packed(&whole)[..], b"tail"].concat()).contains("a sound end of the data"));
        assert!(message(&whole[..9]).contains("an IDX header of at least 12 bytes"));
    }

    #[test]
    fn other_files_are_refused_with_a_reason() {
        assert!(message(b"<html>").contains("starts with two zero bytes (packed with gzip or not), found 3c 68"));
        assert!(message(&[0, 0, 7, 1, 0, 0, 0, 0]).contains("IDX type code"));
        assert!(message(&[0, 0, 8, 0]).contains("1 to 8 dimensions, found 0"));
        assert!(message(&[0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255]).contains("more than the limit"));
    }

    #[test]
    fn images_and_labels_exchanged_are_recognised() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        std::fs::write(&path, raw()).unwrap();
        assert!(read_labels(&path, &Limits::default()).unwrap_err().to_string().contains("exchanged?"));
        write(&path, &Idx { element: Element::U8, dims: vec![2], bytes: vec![1, 2] }).unwrap();
        assert!(read_images(&path, &Limits::default()).unwrap_err().to_string().contains("exchanged?"));
        write(&path, &Idx { element: Element::Int { size: 1, signed: true }, dims: vec![1], bytes: vec![255] }).unwrap();
        let error = read_labels(&path, &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("labels of at least 0, found -1"), "{error}");
    }

    #[test]
    fn a_bomb_stops_at_the_size_of_its_header() {
        let mut bomb = raw();
        bomb.resize(50 << 20, 0);
        let bomb = packed(&bomb);
        assert!(bomb.len() < 100_000);
        assert!(message(&bomb).starts_with("f: expected 12 bytes, found 13 or more"));
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_an_error_or_an_array_of_the_announced_size() {
        let limits = Limits { max_bytes: 1 << 16, ..Limits::default() };
        for whole in [raw(), packed(&raw())] {
            assert!(cuts(&whole).all(|bytes| parse("f", bytes, &limits).is_err()));
            for array in flips(&whole).filter_map(|bytes| parse("f", &bytes, &limits).ok()) {
                let size: usize = array.dims.iter().product::<usize>() * array.element.size();
                assert_eq!(array.bytes.len(), size);
            }
        }
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(dims in 0u8..10, code in 7u8..16, gz: bool, body in prop::collection::vec(any::<u8>(), 0..200)) {
            let limits = Limits { max_bytes: 1 << 12, ..Limits::default() };
            let bytes = [&[0, 0, code, dims][..], &body].concat();
            let bytes = if gz { packed(&bytes) } else { bytes };
            if let Ok(array) = parse("f", &bytes, &limits) {
                prop_assert!(array.bytes.capacity() as u64 <= limits.max_bytes);
            }
            let _ = parse("f", &body, &limits);
        }
    }
}
