//! Formats whose head holds numbers at fixed places: IDX, BMP, GIF.

use super::raw;
use crate::seeded::Random;

/// A copy with numbers changed within the first `head` bytes; of GIF also within the blocks of its images.
pub fn damaged(bytes: &[u8], head: usize, random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    // The blocks of a GIF begin with 0x2C (image) or 0x21 (extension).
    let blocks: Vec<usize> = bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| bytes.starts_with(b"GIF8") && matches!(byte, 0x21 | 0x2C))
        .map(|(at, _)| at)
        .take(64)
        .collect();
    for _ in 0..=random.below(2) {
        let start = if blocks.is_empty() || random.one_in(2) { 0 } else { *random.pick(&blocks) };
        let room = bytes.len().saturating_sub(start).min(if start == 0 { head } else { 12 });
        let at = start + random.below(room);
        raw::number(&mut bytes, at, random);
    }
    bytes
}
