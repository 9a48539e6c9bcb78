//! HDF5: addresses and lengths changed for one another and for extremes, messages of object headers changed, checksums made right.

use super::{extreme, raw};
use crate::seeded::Random;

/// Marks of the parts of a file.
const MARKS: [&[u8; 4]; 10] = [b"OHDR", b"OCHK", b"TREE", b"SNOD", b"HEAP", b"GCOL", b"FRHP", b"BTHD", b"BTLF", b"\x89HDF"];

/// A changed file.
pub fn damaged(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(3) {
        match random.below(5) {
            0 | 1 => swap_words(&mut bytes, random),
            2 => near_a_mark(&mut bytes, random),
            3 => digit(&mut bytes, random),
            _ => {
                let at = random.below(bytes.len()) & !1;
                raw::number(&mut bytes, at, random);
            }
        }
    }
    checksums(&mut bytes);
    bytes
}

/// Words of eight bytes that look like an address or a length within the file: one takes the value of another, or its own place, or an
/// extreme.
fn swap_words(bytes: &mut [u8], random: &mut Random) {
    let length = bytes.len() as u64;
    let word = |bytes: &[u8], at: usize| bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
    let likely = |at: &usize| word(bytes, *at).is_some_and(|value| (value > 0 && value <= length) || value == u64::MAX);
    let places: Vec<usize> = (0..bytes.len()).step_by(8).filter(likely).take(4096).collect();
    if places.is_empty() {
        return;
    }
    let (at, other) = (*random.pick(&places), *random.pick(&places));
    let value = match random.below(6) {
        0 => extreme(random),
        1 => at as u64,
        2 => word(bytes, at).unwrap_or_default().wrapping_add(8),
        3 => length,
        _ => word(bytes, other).unwrap_or_default(),
    };
    if let Some(place) = bytes.get_mut(at..at + 8) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}

fn marks(bytes: &[u8]) -> Vec<usize> {
    let marked = |at: &usize| bytes.get(*at..*at + 4).is_some_and(|four| MARKS.iter().any(|mark| &mark[..] == four));
    (0..bytes.len()).filter(marked).take(1024).collect()
}

fn near_a_mark(bytes: &mut [u8], random: &mut Random) {
    let places = marks(bytes);
    if !places.is_empty() {
        let at = *random.pick(&places) + 4 + random.below(48);
        raw::number(bytes, at, random);
    }
}

/// A digit of the JSON within, so that it keeps its length.
fn digit(bytes: &mut [u8], random: &mut Random) {
    let is_number = |pair: &[u8]| matches!(pair, [b' ' | b'[' | b':' | b',', digit] if digit.is_ascii_digit());
    let places: Vec<usize> =
        bytes.windows(2).enumerate().filter(|(_, pair)| is_number(pair)).map(|(at, _)| at + 1).take(4096).collect();
    if !places.is_empty() {
        let at = *random.pick(&places);
        let run = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        bytes[at..at + run].fill(b'0' + random.below(10) as u8);
    }
}

/// Checksums of object headers of version 2 and of the superblock.
fn checksums(bytes: &mut [u8]) {
    if bytes.get(8).is_some_and(|version| *version >= 2) {
        put(bytes, 0, 44);
    }
    for at in marks(bytes) {
        let Some(length) = header_length(bytes.get(at..).unwrap_or_default()) else { continue };
        put(bytes, at, length);
    }
}

/// Length of an object header of version 2 up to its checksum.
fn header_length(bytes: &[u8]) -> Option<usize> {
    if bytes.get(..5)? != b"OHDR\x02" {
        return None;
    }
    let flags = *bytes.get(5)?;
    let start = 6 + if flags & 0x20 != 0 { 16 } else { 0 } + if flags & 0x10 != 0 { 4 } else { 0 };
    let width = 1usize << (flags & 3);
    let mut size = [0; 8];
    size[..width].copy_from_slice(bytes.get(start..start + width)?);
    (start + width).checked_add(usize::try_from(u64::from_le_bytes(size)).ok()?)
}

fn put(bytes: &mut [u8], start: usize, length: usize) {
    let end = start.saturating_add(length);
    let Some(sum) = bytes.get(start..end).map(lookup3) else { return };
    if let Some(place) = bytes.get_mut(end..end.saturating_add(4)) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
}

/// Bob Jenkins' lookup3, HDF5's checksum of metadata.
fn lookup3(bytes: &[u8]) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(bytes.len() as u32);
    let (mut a, mut b, mut c) = (start, start, start);
    let mut rest = bytes;
    let word = |part: &[u8], at: usize| {
        let mut four = [0; 4];
        for (to, from) in four.iter_mut().zip(part.iter().skip(at)) {
            *to = *from;
        }
        u32::from_le_bytes(four)
    };
    while rest.len() > 12 {
        let (part, after) = rest.split_at(12);
        (a, b, c) = (a.wrapping_add(word(part, 0)), b.wrapping_add(word(part, 4)), c.wrapping_add(word(part, 8)));
        a = a.wrapping_sub(c) ^ c.rotate_left(4);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(6);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(8);
        b = b.wrapping_add(a);
        a = a.wrapping_sub(c) ^ c.rotate_left(16);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(19);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(4);
        b = b.wrapping_add(a);
        rest = after;
    }
    if rest.is_empty() {
        return c;
    }
    (a, b, c) = (a.wrapping_add(word(rest, 0)), b.wrapping_add(word(rest, 4)), c.wrapping_add(word(rest, 8)));
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_lookup3() {
        // From the driver of lookup3.c: hashlittle("Four score and seven years ago", 30, 0).
        assert_eq!(super::lookup3(b"Four score and seven years ago"), 0x1777_0551);
        assert_eq!(super::lookup3(b""), 0xdead_beef);
    }
}
