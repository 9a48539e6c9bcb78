//! Damaged files, for the tests of the readers.

/// Every beginning of a file, the whole of it left out.
pub(crate) fn cuts(whole: &[u8]) -> impl Iterator<Item = &[u8]> {
    (0..whole.len()).map(|end| &whole[..end])
}

/// A file with one bit flipped, for every bit.
pub(crate) fn flips(whole: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..whole.len() * 8).map(|bit| {
        let mut bytes = whole.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    })
}
