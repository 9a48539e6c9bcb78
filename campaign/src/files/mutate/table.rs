//! The index of a TensorFlow checkpoint, a LevelDB table: its entries changed, its blocks written anew with their checksums.

use super::protobuf::{push_varint, varint};
use super::{protobuf, raw};
use crate::seeded::Random;

const FOOTER: usize = 48;

/// A changed table.
pub fn damaged(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut pairs = read(bytes)?;
    for _ in 0..=random.below(3) {
        let at = random.below(pairs.len());
        match random.below(8) {
            0 if pairs.len() > 1 => drop(pairs.remove(at)),
            1 => pairs.insert(at, pairs[at].clone()),
            2 => {
                let other = random.below(pairs.len());
                pairs.swap(at, other);
            }
            3 => pairs[at].0 = raw::damaged(&pairs[at].0, random),
            _ => {
                let value = &pairs[at].1;
                pairs[at].1 = protobuf::damaged(value, random).unwrap_or_else(|| raw::damaged(value, random));
            }
        }
    }
    // A reader that finds its keys out of order stops early: mostly they are put in order.
    if !random.one_in(4) {
        pairs.sort();
        pairs.dedup_by(|a, b| a.0 == b.0);
    }
    Some(write(&pairs))
}

type Pair = (Vec<u8>, Vec<u8>);

fn read(bytes: &[u8]) -> Option<Vec<Pair>> {
    let mut footer = bytes.get(bytes.len().checked_sub(FOOTER)?..)?;
    let (_, _) = (varint(&mut footer)?, varint(&mut footer)?);
    let index = block(bytes, varint(&mut footer)?, varint(&mut footer)?)?;
    let mut pairs = Vec::new();
    for (_, handle) in entries(index)? {
        let mut handle = handle.as_slice();
        pairs.extend(entries(block(bytes, varint(&mut handle)?, varint(&mut handle)?)?)?);
    }
    Some(pairs).filter(|pairs| !pairs.is_empty())
}

fn block(bytes: &[u8], offset: u64, size: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    bytes.get(start..start.checked_add(usize::try_from(size).ok()?)?)
}

fn entries(block: &[u8]) -> Option<Vec<Pair>> {
    let (rest, count) = block.split_last_chunk::<4>()?;
    let restarts = (u32::from_le_bytes(*count) as usize).checked_mul(4)?;
    let mut rest = rest.get(..rest.len().checked_sub(restarts)?)?;
    let mut pairs: Vec<Pair> = Vec::new();
    while !rest.is_empty() {
        let [shared, own, value] = [varint(&mut rest)?, varint(&mut rest)?, varint(&mut rest)?].map(|n| n as usize);
        let mut key = pairs.last().map_or(&[][..], |(key, _)| key).get(..shared)?.to_vec();
        key.extend(rest.split_off(..own)?);
        pairs.push((key, rest.split_off(..value)?.to_vec()));
    }
    Some(pairs)
}

fn write(pairs: &[Pair]) -> Vec<u8> {
    let mut out = Vec::new();
    let data = append(&mut out, pairs);
    let last = pairs.last().map(|(key, _)| key.clone()).unwrap_or_default();
    let metaindex = append(&mut out, &[]);
    let index = append(&mut out, &[(last, data)]);
    let mut footer = [metaindex, index].concat();
    footer.resize(FOOTER - 8, 0);
    out.extend(footer);
    out.extend(0xdb47_7524_8b80_fb57u64.to_le_bytes());
    out
}

/// Appends a block with its checksum; returns where it is.
fn append(out: &mut Vec<u8>, pairs: &[Pair]) -> Vec<u8> {
    let start = out.len();
    for (key, value) in pairs {
        for number in [0, key.len(), value.len()] {
            push_varint(out, number as u64);
        }
        out.extend(key);
        out.extend(value);
    }
    // One restart, at the block's beginning.
    out.extend([0u32.to_le_bytes(), 1u32.to_le_bytes()].concat());
    let mut handle = Vec::new();
    push_varint(&mut handle, start as u64);
    push_varint(&mut handle, (out.len() - start) as u64);
    out.push(0);
    let crc = crc32c::crc32c(&out[start..]).rotate_right(15).wrapping_add(0xa282_ead8);
    out.extend(crc.to_le_bytes());
    handle
}
