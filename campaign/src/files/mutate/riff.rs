//! WebP: chunks of RIFF changed, moved, repeated and left out, with their lengths made right; the extended header put in.

use super::{extreme, raw, tiff};
use crate::seeded::Random;

/// A chunk: its name and content.
type Chunk = ([u8; 4], Vec<u8>);

/// A changed picture.
pub fn damaged(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut chunks = parse(bytes)?;
    for _ in 0..=random.below(3) {
        let at = random.below(chunks.len());
        match random.below(8) {
            0 if chunks.len() > 1 => drop(chunks.remove(at)),
            1 => chunks.insert(at, chunks[at].clone()),
            2 => chunks.insert(0, (*b"VP8X", extended(random))),
            3 => chunks
                .insert(at, (*random.pick(&[*b"ALPH", *b"ANIM", *b"ANMF", *b"ICCP", *b"XMP "]), raw::damaged(&[0; 40], random))),
            4 => chunks.push((*b"EXIF", tiff::exif(random))),
            5 => chunks[at].0 = *random.pick(&[*b"VP8 ", *b"VP8L", *b"VP8X", *b"ANMF"]),
            _ => chunks[at].1 = raw::damaged(&chunks[at].1, random),
        }
    }
    let mut out = b"RIFF\0\0\0\0WEBP".to_vec();
    for (name, content) in &chunks {
        out.extend(name);
        let length = if random.one_in(16) { extreme(random) as u32 } else { content.len() as u32 };
        out.extend(length.to_le_bytes());
        out.extend(content);
        out.extend(std::iter::repeat_n(0, content.len() % 2));
    }
    let length = (out.len() as u32).saturating_sub(8);
    out[4..8].copy_from_slice(&length.to_le_bytes());
    Some(out)
}

/// Flags, and width and height less one in 24 bits each.
fn extended(random: &mut Random) -> Vec<u8> {
    let mut content = vec![random.below(256) as u8, 0, 0, 0];
    for _ in 0..2 {
        let side = if random.one_in(2) { 27 } else { extreme(random) as u32 };
        content.extend(&side.to_le_bytes()[..3]);
    }
    content
}

fn parse(bytes: &[u8]) -> Option<Vec<Chunk>> {
    let mut rest = bytes.get(12..)?;
    let mut chunks = Vec::new();
    while let Some((name, after)) = rest.split_first_chunk::<4>() {
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        chunks.push((*name, after.get(..length)?.to_vec()));
        rest = after.get(length + length % 2..).unwrap_or_default();
    }
    Some(chunks).filter(|chunks| !chunks.is_empty())
}
