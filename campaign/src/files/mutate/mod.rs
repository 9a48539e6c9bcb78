//! Damaged copies of files: each format is taken apart, changed and put together again with its lengths and checksums made right, so
//! that the damage reaches the code behind the checks.

mod fields;
mod hdf5;
mod jpeg;
mod json;
mod npy;
pub mod png;
mod protobuf;
mod raw;
mod riff;
mod safetensors;
mod table;
mod text;
mod tiff;
mod zip;

use crate::seeded::Random;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::io::{Read, Write};

/// Longest content that is unpacked here.
const MOST: u64 = 64 << 20;

/// A damaged copy of the content of a file called `name`.
pub fn damaged(name: &str, bytes: &[u8], random: &mut Random) -> Vec<u8> {
    // One copy in four is damaged without knowledge of the format.
    if random.one_in(4) {
        return raw::damaged(bytes, random);
    }
    let changed = structured(name, bytes, random).unwrap_or_else(|| raw::damaged(bytes, random));
    // Now and then both.
    if random.one_in(8) { raw::damaged(&changed, random) } else { changed }
}

/// A copy that was changed by its format, or `None` where that does not apply.
fn structured(name: &str, bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    match bytes {
        [b'P', b'K', 3, 4, ..] => zip::damaged(bytes, random),
        [0x89, b'H', b'D', b'F', ..] => Some(hdf5::damaged(bytes, random)),
        [0x89, b'P', b'N', b'G', ..] => png::damaged(bytes, random),
        [0xFF, 0xD8, ..] => jpeg::damaged(bytes, random),
        [b'R', b'I', b'F', b'F', ..] => riff::damaged(bytes, random),
        [b'G', b'I', b'F', b'8', ..] | [b'B', b'M', ..] => Some(fields::damaged(bytes, 64, random)),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => tiff::damaged(bytes, random),
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => npy::damaged(bytes, random),
        [0x1F, 0x8B, ..] => gzip(name, bytes, random),
        // IDX: two zeros, a type, the number of sides.
        [0, 0, 8..=14, sides, ..] => Some(fields::damaged(bytes, 4 + 4 * usize::from(*sides), random)),
        _ if name.ends_with(".index") => table::damaged(bytes, random),
        _ if name.ends_with(".onnx") || name.ends_with(".pb") => protobuf::damaged(bytes, random),
        _ if name.ends_with(".safetensors") => safetensors::damaged(bytes, random),
        _ if name.ends_with(".toml") => text::toml(bytes, random),
        _ if name.ends_with(".csv") => Some(text::csv(bytes, random)),
        [b'{', ..] => json::damaged(bytes, random),
        _ => None,
    }
}

fn gzip(name: &str, bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    GzDecoder::new(bytes).take(MOST).read_to_end(&mut content).ok()?;
    let inner = name.strip_suffix(".gz").unwrap_or(name);
    let content = damaged(inner, &content, random);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&content).ok()?;
    packed.finish().ok()
}

/// A number on which readers stumble.
fn extreme(random: &mut Random) -> u64 {
    const NUMBERS: &[u64] = &[
        0,
        1,
        2,
        3,
        5,
        7,
        8,
        16,
        0x7F,
        0x80,
        0xFF,
        0x100,
        0x3FF,
        0x7FFF,
        0x8000,
        0xFFFF,
        0x1_0000,
        100_000,
        1_000_000,
        0x3FFF_FFFF,
        0x7FFF_FFFF,
        0x8000_0000,
        0xFFFF_FFFE,
        0xFFFF_FFFF,
        0x1_0000_0000,
        0x10_0000_0000,
        0x7FFF_FFFF_FFFF_FFFF,
        0x8000_0000_0000_0000,
        u64::MAX - 1,
        u64::MAX,
    ];
    match random.below(4) {
        0 => random.below(1 << 12) as u64,
        // Of any size: a number that asks for much memory and not yet for too much is found by no list.
        1 => random.any() >> random.below(64),
        _ => *random.pick(NUMBERS),
    }
}
