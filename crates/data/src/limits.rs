//! Bounds every reader checks before it allocates, and the one place where bytes of announced length are taken in.

use std::io::{ErrorKind, Read};

use crate::error::DataError;

/// Deflate cannot shrink data by more than this factor (zlib's technical notes: 1032 to 1).
const DEFLATE_MOST: u64 = 1032;

/// Upper bounds for one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one array once unpacked. Default 4 GiB.
    pub max_bytes: u64,
    /// Bounds of one picture, as for pictures to predict from.
    pub pictures: maobi_vision::Limits,
    /// Classes of one data set. Default 65,536.
    pub max_classes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_bytes: 4 << 30, pictures: maobi_vision::Limits::default(), max_classes: 65_536 }
    }
}

/// Bytes of an array of `dims` elements of `width` bytes.
///
/// # Errors
/// [`DataError::TooLarge`] beyond `limits.max_bytes`, an overflow included.
pub(crate) fn array_bytes(file: &str, dims: &[usize], width: usize, limits: &Limits) -> Result<u64, DataError> {
    // A zero side makes the array empty whatever the other sides say.
    let sides = if dims.contains(&0) { &[0][..] } else { dims };
    let bytes = sides.iter().try_fold(width as u64, |n, &dim| n.checked_mul(dim as u64)).unwrap_or(u64::MAX);
    if bytes > limits.max_bytes || usize::try_from(bytes).is_err() {
        return Err(DataError::TooLarge {
            file: file.to_owned(),
            what: "the size in bytes of its array",
            found: bytes,
            limit: limits.max_bytes,
        });
    }
    Ok(bytes)
}

/// Takes in exactly `expected` bytes and asks that the input ends there.
///
/// `packed` is the length of a deflated input, where it is one: no more than deflate can have made of it is allocated up front, so
/// a header that lies costs nothing.
///
/// # Errors
/// [`DataError::Length`] when there is less or more, [`DataError::Malformed`] when a packed stream is broken.
pub(crate) fn read_exactly(file: &str, input: &mut impl Read, expected: u64, packed: Option<u64>) -> Result<Vec<u8>, DataError> {
    let short = |found: u64| DataError::Length { file: file.to_owned(), expected, found };
    let capacity = match packed {
        Some(packed) => expected.min(packed.saturating_mul(DEFLATE_MOST)),
        None => expected,
    };
    let mut bytes = Vec::new();
    let room = usize::try_from(capacity).unwrap_or(usize::MAX);
    bytes.try_reserve_exact(room).map_err(|_| DataError::TooLarge {
        file: file.to_owned(),
        what: "the size in bytes of its array",
        found: expected,
        limit: 0,
    })?;
    match input.by_ref().take(expected).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 == expected => {}
        Ok(_) => return Err(short(bytes.len() as u64)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(short(bytes.len() as u64)),
        Err(error) => return Err(DataError::malformed(file, "readable data", error)),
    }
    // Reading on to the end also makes a packed stream check its sum.
    let mut more = [0u8; 1];
    match input.read(&mut more) {
        Ok(0) => Ok(bytes),
        Ok(_) => Err(short(expected + 1)),
        Err(error) => Err(DataError::malformed(file, "a sound end of the data", error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_do_not_overflow() {
        let limits = Limits { max_bytes: 100, ..Limits::default() };
        assert_eq!(array_bytes("f", &[5, 5], 4, &limits).unwrap(), 100);
        assert_eq!(array_bytes("f", &[usize::MAX, 0], 4, &limits).unwrap(), 0);
        let error = array_bytes("f", &[101], 1, &limits).unwrap_err();
        assert_eq!(error.to_string(), "f: the size in bytes of its array is 101, more than the limit of 100");
        assert!(array_bytes("f", &[usize::MAX, usize::MAX], 1, &limits).is_err());
    }

    #[test]
    fn length_is_exact() {
        assert_eq!(read_exactly("f", &mut &[1u8, 2][..], 2, None).unwrap(), [1, 2]);
        assert!(matches!(read_exactly("f", &mut &[1u8][..], 2, None), Err(DataError::Length { expected: 2, found: 1, .. })));
        assert!(matches!(
            read_exactly("f", &mut &[1u8, 2, 3][..], 2, None),
            Err(DataError::Length { expected: 2, found: 3, .. })
        ));
    }

    #[test]
    fn a_lying_header_of_a_packed_file_allocates_little() {
        // Four GiB announced, one byte there: must fail at once, not after taking four GiB.
        let found = read_exactly("f", &mut &[1u8][..], 4 << 30, Some(1));
        assert!(matches!(found, Err(DataError::Length { found: 1, .. })));
    }
}
