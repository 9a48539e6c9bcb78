//! TIFF, and EXIF, which is made like it: entries of directories changed; directories that lead to themselves.

use super::{extreme, raw};
use crate::seeded::Random;

/// Tags that decide how a picture is read: sizes, depth, compression, strips, tiles, palette, orientation, predictor.
const TAGS: &[u16] =
    &[256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 292, 317, 320, 322, 323, 324, 325, 338, 339, 347, 530, 34665];

/// A changed picture.
pub fn damaged(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    let little = bytes.first() == Some(&b'I');
    let start = number(&bytes, 4, 4, little)?;
    let count = number(&bytes, start, 2, little)?;
    for _ in 0..=random.below(3) {
        let entry = start + 2 + 12 * random.below(count);
        match random.below(8) {
            0 => put(&mut bytes, entry, 2, u64::from(*random.pick(TAGS)), little),
            1 => put(&mut bytes, entry + 2, 2, random.below(20) as u64, little),
            2 => put(&mut bytes, entry + 4, 4, extreme(random), little),
            3 | 4 => put(&mut bytes, entry + 8, 4, extreme(random), little),
            // The next directory is this one, or anywhere.
            5 => {
                let next = if random.one_in(2) { start as u64 } else { extreme(random) };
                put(&mut bytes, start + 2 + 12 * count, 4, next, little);
            }
            6 => put(&mut bytes, start, 2, extreme(random), little),
            _ => put(&mut bytes, 4, 4, random.below(bytes_len(count, start)) as u64, little),
        }
    }
    Some(bytes)
}

fn bytes_len(count: usize, start: usize) -> usize {
    start + 2 + 12 * count
}

/// EXIF with an orientation, sound or damaged.
pub fn exif(random: &mut Random) -> Vec<u8> {
    let mut bytes = b"II\x2A\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    bytes.extend((1 + random.below(8) as u32).to_le_bytes());
    bytes.extend([0; 4]);
    if random.one_in(2) { raw::damaged(&bytes, random) } else { bytes }
}

fn number(bytes: &[u8], at: usize, width: usize, little: bool) -> Option<usize> {
    let mut part = bytes.get(at..at + width)?.to_vec();
    if little {
        part.reverse();
    }
    Some(part.iter().fold(0, |value, byte| value << 8 | usize::from(*byte)))
}

fn put(bytes: &mut [u8], at: usize, width: usize, value: u64, little: bool) {
    let mut part = value.to_le_bytes()[..width].to_vec();
    if !little {
        part.reverse();
    }
    for (to, from) in bytes.iter_mut().skip(at).zip(part) {
        *to = from;
    }
}
