//! ZIP archives (`.keras`, `.npz`): a member changed and packed anew with its checksum, or the archive's own records changed.

use super::{MOST, damaged as inner, raw};
use crate::seeded::Random;
use std::io::{Cursor, Read, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// A changed archive.
pub fn damaged(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut packed = if random.one_in(5) { bytes.to_vec() } else { repacked(bytes, random)? };
    if random.one_in(4) {
        records(&mut packed, random);
    }
    Some(packed)
}

/// A member is changed, or left out, or there twice, or called something else.
fn repacked(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let chosen = random.below(archive.len());
    let how = random.below(12);
    let mut packed = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut member = archive.by_index(index).ok()?;
        let mut name = member.name().ok()?.into_owned();
        let mut content = Vec::new();
        member.by_ref().take(MOST).read_to_end(&mut content).ok()?;
        let options = |random: &mut Random| {
            let method = if random.one_in(3) { CompressionMethod::Deflated } else { CompressionMethod::Stored };
            SimpleFileOptions::default().compression_method(method)
        };
        if index == chosen {
            match how {
                0 => continue,
                1 => name = ["../up", "/abs", "", "config.json/", "a\0b"][random.below(5)].to_owned(),
                2 => content.extend(std::iter::repeat_n(0, [1 << 16, 4 << 20][random.below(2)])),
                _ => content = inner(&name, &content, random),
            }
        }
        packed.start_file(name, options(random)).ok()?;
        packed.write_all(&content).ok()?;
    }
    Some(packed.finish().ok()?.into_inner())
}

/// Numbers of local headers, of the directory and of its end.
fn records(bytes: &mut [u8], random: &mut Random) {
    let is_record =
        |at: &usize| matches!(bytes.get(*at..*at + 4), Some([b'P', b'K', 1, 2] | [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6]));
    let places: Vec<usize> = (0..bytes.len()).filter(is_record).take(256).collect();
    if places.is_empty() {
        return;
    }
    for _ in 0..=random.below(2) {
        let at = *random.pick(&places) + 4 + random.below(42);
        raw::number(bytes, at, random);
    }
}
