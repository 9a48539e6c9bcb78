//! Bytes of announced length, taken in without trust in the announcement.

use crate::error::FormatError;
use maobi_guard::memory::check_room;
use std::io::{ErrorKind, Read};

/// Deflate cannot shrink data by more than this factor (zlib's technical notes: 1032 to 1).
const DEFLATE_MOST: u64 = 1032;

/// Bytes of an array of `dims` elements of `width` bytes.
///
/// # Errors
/// [`FormatError::TooLarge`] beyond `limit` bytes, an overflow included.
pub fn array_bytes(dims: &[usize], width: usize, limit: u64) -> Result<u64, FormatError> {
    // A zero side makes the array empty whatever the other sides say.
    let sides = if dims.contains(&0) { &[0][..] } else { dims };
    let bytes = sides.iter().try_fold(width as u64, |n, &dim| n.checked_mul(dim as u64)).unwrap_or(u64::MAX);
    if bytes > limit || usize::try_from(bytes).is_err() {
        return Err(FormatError::TooLarge { what: "the size in bytes of its array", found: bytes, limit });
    }
    Ok(bytes)
}

/// Takes in exactly `expected` bytes and asks that the input ends there.
///
/// `packed` is the length of a deflated input, where it is one: no more than deflate can have made of it is allocated up front, so
/// a header that lies costs nothing.
///
/// # Errors
/// [`FormatError::Length`] when there is less or more, [`FormatError::Malformed`] when a packed stream is broken,
/// [`FormatError::Other`] when memory is short.
pub fn read_exactly(mut input: impl Read, expected: u64, packed: Option<u64>) -> Result<Vec<u8>, FormatError> {
    let short = |found: u64| FormatError::Length { expected, found };
    let room = packed.map_or(expected, |packed| expected.min(packed.saturating_mul(DEFLATE_MOST)));
    check_room("unpacked, it", room)?;
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(usize::try_from(room).unwrap_or(usize::MAX))
        .map_err(|_| format!("the system gives no {room} bytes of memory for it"))?;
    match input.by_ref().take(expected).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 == expected => {}
        Ok(_) => return Err(short(bytes.len() as u64)),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(short(bytes.len() as u64)),
        Err(error) => return Err(FormatError::malformed("readable data", error)),
    }
    // Reading on to the end also makes a packed stream check its sum.
    let mut more = [0u8; 1];
    match input.read(&mut more) {
        Ok(0) => Ok(bytes),
        Ok(_) => Err(short(expected + 1)),
        Err(error) => Err(FormatError::malformed("a sound end of the data", error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_do_not_overflow() {
        assert_eq!(array_bytes(&[5, 5], 4, 100).unwrap(), 100);
        assert_eq!(array_bytes(&[usize::MAX, 0], 4, 100).unwrap(), 0);
        let error = array_bytes(&[101], 1, 100).unwrap_err();
        assert_eq!(error.to_string(), "the size in bytes of its array is 101, more than the limit of 100");
        assert!(array_bytes(&[usize::MAX, usize::MAX], 1, 100).is_err());
    }

    #[test]
    fn length_is_exact() {
        assert_eq!(read_exactly(&mut &[1u8, 2][..], 2, None).unwrap(), [1, 2]);
        assert_eq!(read_exactly(&mut &[1u8][..], 2, None), Err(FormatError::Length { expected: 2, found: 1 }));
        assert_eq!(read_exactly(&mut &[1u8, 2, 3][..], 2, None), Err(FormatError::Length { expected: 2, found: 3 }));
    }

    #[test]
    fn a_lying_header_of_a_packed_file_allocates_little() {
        // Four GiB announced, one byte there: must fail at once, not after taking four GiB.
        let found = read_exactly(&mut &[1u8][..], 4 << 30, Some(1));
        assert_eq!(found, Err(FormatError::Length { expected: 4 << 30, found: 1 }));
    }
}
