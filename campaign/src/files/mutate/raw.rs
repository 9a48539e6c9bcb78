//! Damage without knowledge of the format: bits, bytes, ends, parts moved and repeated.

use super::extreme;
use crate::seeded::Random;

/// Longest result, so that repeated parts stay files of a size that people have.
const MOST: usize = 8 << 20;

/// A copy with one to five changes.
pub fn damaged(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if random.one_in(8) {
        bytes.truncate(random.below(bytes.len()));
    }
    for _ in 0..=random.below(5) {
        if bytes.is_empty() {
            break;
        }
        once(&mut bytes, random);
    }
    bytes
}

fn once(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(bytes.len());
    let end = (at + 1 + up_to(&[16, 64, 4096], random)).min(bytes.len());
    match random.below(12) {
        0 => {
            bytes.drain(at..end);
        }
        1 => bytes.insert(at, random.below(256) as u8),
        2 => bytes[at] = [0, 255, 127, 128][random.below(4)],
        3 => {
            let end = (at + [2, 4, 8][random.below(3)]).min(bytes.len());
            bytes[at..end].fill([0, 255][random.below(2)]);
        }
        // A number of any width and order.
        4 | 5 => number(bytes, at, random),
        // A digit of a number that is written out.
        6 => {
            if let Some(digit) = bytes[at..].iter_mut().find(|byte| byte.is_ascii_digit()) {
                *digit = b'0' + random.below(10) as u8;
            }
        }
        // A part somewhere else, over what is there or between it.
        7 => {
            let copy = bytes[at..end].to_vec();
            let to = random.below(bytes.len());
            let over = if random.one_in(2) { (to + copy.len()).min(bytes.len()) } else { to };
            bytes.splice(to..over, copy);
        }
        8 => {
            let copy = bytes[at..end].repeat(1 + up_to(&[2, 100, 10_000], random));
            if bytes.len() + copy.len() < MOST {
                bytes.splice(at..at, copy);
            }
        }
        _ => bytes[at] ^= 1 << random.below(8),
    }
}

/// A number below one of `bounds`, so that small ones come often.
fn up_to(bounds: &[usize], random: &mut Random) -> usize {
    let bound = *random.pick(bounds);
    random.below(bound)
}

/// Writes a number on which readers stumble at `at`.
pub fn number(bytes: &mut [u8], at: usize, random: &mut Random) {
    let value = extreme(random);
    let width = [1, 2, 4, 8][random.below(4)];
    let little = value.to_le_bytes();
    let mut number: Vec<u8> = little[..width].to_vec();
    if random.one_in(2) {
        number.reverse();
    }
    for (to, from) in bytes.iter_mut().skip(at).zip(number) {
        *to = from;
    }
}
