//! JPEG: segments changed, moved, repeated and left out, with their lengths made right; EXIF put in.

use super::{extreme, raw, tiff};
use crate::seeded::Random;

/// A segment: its marker and content.
type Segment = (u8, Vec<u8>);

/// A changed picture.
pub fn damaged(bytes: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let (mut segments, scan) = parse(bytes)?;
    let mut scan = scan.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(segments.len());
        match random.below(9) {
            0 if segments.len() > 1 => drop(segments.remove(at)),
            1 => segments.insert(at, segments[at].clone()),
            2 => {
                let other = random.below(segments.len());
                segments.swap(at, other);
            }
            // The frame: precision, height, width, components and their sampling; or another kind of frame.
            3 => {
                if let Some(frame) = segments.iter_mut().find(|(marker, _)| matches!(marker, 0xC0..=0xC2)) {
                    match random.below(3) {
                        0 => frame.0 = [0xC1, 0xC2, 0xC3, 0xC9][random.below(4)],
                        _ => {
                            let place = random.below(frame.1.len());
                            raw::number(&mut frame.1, place, random);
                        }
                    }
                }
            }
            4 => segments.insert(0, (0xE1, [&b"Exif\0\0"[..], &tiff::exif(random)].concat())),
            5 => segments.insert(0, (0xDD, (extreme(random) as u16).to_be_bytes().to_vec())),
            6 => segments.insert(0, (0xE2, [&b"ICC_PROFILE\0"[..], &raw::damaged(&[1; 200], random)].concat())),
            7 => scan = raw::damaged(&scan, random),
            _ => segments[at].1 = raw::damaged(&segments[at].1, random),
        }
    }
    let mut out = vec![0xFF, 0xD8];
    for (marker, content) in &segments {
        out.extend([0xFF, *marker]);
        out.extend(u16::try_from(content.len() + 2).unwrap_or(u16::MAX).to_be_bytes());
        out.extend(content.iter().take(usize::from(u16::MAX) - 2));
    }
    out.extend(scan);
    // Without its end the picture is refused at once.
    if !random.one_in(8) && !out.ends_with(&[0xFF, 0xD9]) {
        out.extend([0xFF, 0xD9]);
    }
    Some(out)
}

/// Segments up to the scan, which is its header and all after it.
fn parse(bytes: &[u8]) -> Option<(Vec<Segment>, &[u8])> {
    let mut at = 2;
    let mut segments = Vec::new();
    loop {
        let [0xFF, marker, high, low] = *bytes.get(at..at + 4)? else { return None };
        if marker == 0xDA {
            return Some((segments, bytes.get(at..)?)).filter(|(segments, _)| !segments.is_empty());
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        segments.push((marker, bytes.get(at + 4..at + 2 + length)?.to_vec()));
        at += 2 + length;
    }
}
