//! Sizes in RIFF files, which hold WebP pictures.

/// Whether every chunk of a RIFF file ends within the file.
///
/// A decoder that believes the size of a chunk takes up to 4 GB of memory for a file of a few bytes.
pub fn riff_is_whole(bytes: &[u8]) -> bool {
    let size_at = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(|size| u32::from_le_bytes(size) as usize);
    let Some(size) = size_at(4) else { return false };
    let end = bytes.len().min(size.saturating_add(8));
    // Behind "RIFF", the size and "WEBP", chunks have a name, a size and their bytes, padded to an even number.
    let mut at = 12;
    while at + 8 <= end {
        match size_at(at + 4) {
            Some(size) if size <= bytes.len() - at - 8 => at += 8 + size + size % 2,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_end_within_the_file() {
        let file = |size: u32, chunks: &[u8]| [b"RIFF", &size.to_le_bytes()[..], b"WEBP", chunks].concat();
        let whole = file(28, b"VP8L\x03\0\0\0abc\0EXIF\0\0\0\0");
        assert!(riff_is_whole(&whole));
        assert!(riff_is_whole(&[&whole[..], b"what follows is not part of it"].concat()));
        // Without the byte that pads the last chunk.
        assert!(riff_is_whole(&file(15, b"VP8L\x03\0\0\0abc")));
        for size in [1u32, 1 << 20, u32::MAX] {
            let long = file(28, &[b"VP8L\x03\0\0\0abc\0EXIF", &size.to_le_bytes()[..]].concat());
            assert!(!riff_is_whole(&long), "{size}");
        }
        assert!(!riff_is_whole(b"RIFF"));
    }
}
