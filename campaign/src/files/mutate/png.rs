//! PNG: chunks changed, moved, repeated and left out; every checksum is made right.

use super::{extreme, raw};
use crate::seeded::Random;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write;

/// A chunk: its type and content.
type Chunk = ([u8; 4], Vec<u8>);

/// The eight bytes in front.
pub const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', 13, 10, 26, 10];

/// A changed picture.
pub fn damaged(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut chunks = parse(bytes)?;
    for _ in 0..=random.below(3) {
        let at = random.below(chunks.len());
        match random.below(10) {
            0 => header(&mut chunks, random),
            1 if chunks.len() > 1 => drop(chunks.remove(at)),
            2 => chunks.insert(at, chunks[at].clone()),
            3 => {
                let other = random.below(chunks.len());
                chunks.swap(at, other);
            }
            4 => {
                let content = &mut chunks[at].1;
                content.truncate(random.below(content.len() + 1));
            }
            5 => palette(&mut chunks, random),
            6 => chunks.insert(at, ancillary(random)),
            7 => {
                let rows: Vec<u8> = (0..random.below(5000)).map(|_| random.below(7) as u8).collect();
                if let Some((_, content)) = chunks.iter_mut().find(|(kind, _)| kind == b"IDAT") {
                    *content = zlib(&rows);
                }
            }
            _ => chunks[at].1 = raw::damaged(&chunks[at].1, random),
        }
    }
    Some(write(&chunks))
}

/// Width, height, depth, colour type, compression, filter, interlace.
fn header(chunks: &mut [Chunk], random: &mut Random) {
    let Some((_, header)) = chunks.iter_mut().find(|(kind, content)| kind == b"IHDR" && content.len() == 13) else { return };
    match random.below(6) {
        0 => header[0..4].copy_from_slice(&(extreme(random) as u32).to_be_bytes()),
        1 => header[4..8].copy_from_slice(&(extreme(random) as u32).to_be_bytes()),
        2 => header[8] = [1, 2, 4, 8, 16, 0, 3, 32][random.below(8)],
        3 => header[9] = [0, 2, 3, 4, 6, 1, 5, 7][random.below(8)],
        4 => header[12] ^= 1,
        _ => header[10 + random.below(3)] = random.below(256) as u8,
    }
}

/// Palettes and transparency of any length, a whole number of entries or not.
fn palette(chunks: &mut Vec<Chunk>, random: &mut Random) {
    let kind = *random.pick(&[*b"PLTE", *b"tRNS"]);
    let content: Vec<u8> = (0..random.below(800)).map(|n| n as u8).collect();
    match chunks.iter_mut().find(|chunk| chunk.0 == kind) {
        Some(chunk) => chunk.1 = content,
        None => chunks.insert(1.min(chunks.len()), (kind, content)),
    }
}

/// A chunk that readers may look into: profiles, texts, EXIF, animation.
fn ancillary(random: &mut Random) -> Chunk {
    let zeros = vec![0; [10, 1 << 20, 16 << 20][random.below(3)]];
    match random.below(6) {
        0 => (*b"iCCP", [&b"name\0\0"[..], &zlib(&zeros)].concat()),
        1 => (*b"zTXt", [&b"key\0\0"[..], &zlib(&zeros)].concat()),
        2 => (*b"iTXt", [&b"key\0\x01\0\0\0"[..], &zlib(&zeros)].concat()),
        3 => (*b"eXIf", super::tiff::exif(random)),
        4 => {
            let numbers = [extreme(random), extreme(random)].map(|n| (n as u32).to_be_bytes()).concat();
            (*b"acTL", numbers)
        }
        _ => (
            *random.pick(&[*b"gAMA", *b"cHRM", *b"sRGB", *b"pHYs", *b"sBIT", *b"fcTL", *b"fdAT"]),
            raw::damaged(&[0; 26], random),
        ),
    }
}

/// Deflated as PNG has it.
pub fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let _ = packed.write_all(bytes);
    packed.finish().unwrap_or_default()
}

fn parse(bytes: &[u8]) -> Option<Vec<Chunk>> {
    let mut rest = bytes.strip_prefix(&SIGNATURE)?;
    let mut chunks = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (kind, after) = after.split_first_chunk::<4>()?;
        let (content, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        chunks.push((*kind, content.to_vec()));
        rest = after.get(4..)?;
    }
    Some(chunks).filter(|chunks| !chunks.is_empty())
}

/// The file of these chunks, with their checksums.
pub fn write(chunks: &[Chunk]) -> Vec<u8> {
    let mut out = SIGNATURE.to_vec();
    for (kind, content) in chunks {
        out.extend((content.len() as u32).to_be_bytes());
        out.extend(kind);
        out.extend(content);
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(content);
        out.extend(crc.sum().to_be_bytes());
    }
    out
}
