//! safetensors: the JSON of the header changed, its length made right.

use super::{extreme, json};
use crate::seeded::Random;

/// A changed file.
pub fn damaged(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let length = usize::try_from(u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?)).ok()?;
    let (header, data) = bytes.get(8..)?.split_at_checked(length)?;
    let header = json::damaged(header, random)?;
    let length = if random.one_in(8) { extreme(random) } else { header.len() as u64 };
    Some([&length.to_le_bytes()[..], &header, data].concat())
}
