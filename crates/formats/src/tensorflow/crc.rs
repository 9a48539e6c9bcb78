//! CRC32C as TensorFlow stores it: rotated and shifted, so that the checksum of data that holds checksums is no special one
//! (tensorflow/tsl/lib/hash/crc32c.h).

/// The stored form of a checksum.
pub(crate) fn mask(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The stored checksum of `bytes`.
pub(crate) fn masked(bytes: &[u8]) -> u32 {
    mask(crc32c::crc32c(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 3720, B.4: 32 bytes of zeros, and the bytes 0 to 31.
    #[test]
    fn of_the_rfc() {
        assert_eq!(crc32c::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c::crc32c(&std::array::from_fn::<u8, 32, _>(|i| i as u8)), 0x46dd_794e);
        assert_eq!(masked(&[0; 32]), 0x8a91_36aa_u32.rotate_right(15).wrapping_add(0xa282_ead8));
    }
}
