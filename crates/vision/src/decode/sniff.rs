//! What the first bytes of a file say it is. The extension is never looked at.

use image::ImageFormat;

/// A format that is read, and its name in messages.
pub(super) fn format_of(bytes: &[u8]) -> Option<(ImageFormat, &'static str)> {
    let format = image::guess_format(bytes).ok()?;
    let name = match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Gif => "GIF",
        ImageFormat::WebP => "WebP",
        ImageFormat::Tiff => "TIFF",
        ImageFormat::Bmp => "BMP",
        _ => return None,
    };
    Some((format, name))
}

/// For anything else: what it looks like, and what to do.
pub(super) fn describe(bytes: &[u8]) -> (&'static str, &'static str) {
    const SAVE: &str = "save it as PNG or JPEG";
    let head = &bytes[..bytes.len().min(512)];
    let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    let brand = |names: &[&[u8]]| at(4, b"ftyp") && names.iter().any(|name| at(8, name));
    let text = text_start(head);
    let starts = |word: &str| text.as_deref().is_some_and(|t| t.starts_with(word));
    if brand(&[b"heic", b"heix", b"hevc", b"mif1", b"msf1"]) {
        return ("a HEIC photo", "save it as JPEG (phones: camera setting 'most compatible')");
    }
    if brand(&[b"avif", b"avis"]) {
        return ("an AVIF picture", SAVE);
    }
    if at(0, b"%PDF") {
        return ("a PDF document", "save the page as PNG or JPEG");
    }
    if at(0, &[0x1f, 0x8b]) {
        return ("a gzip archive", "unpack it first; data sets are given to train and evaluate");
    }
    if at(0, b"PK\x03\x04") {
        return ("a zip archive", "unpack it first");
    }
    if at(0, b"\x93NUMPY") {
        return ("a NumPy array", "save it as PNG");
    }
    if at(0, &[0, 0, 1, 0]) {
        return ("an icon (ICO)", SAVE);
    }
    if at(0, &[0, 0, 8]) {
        return ("an IDX data file", "data sets are given to train and evaluate");
    }
    if at(0, b"P1") || at(0, b"P2") || at(0, b"P3") || at(0, b"P4") || at(0, b"P5") || at(0, b"P6") {
        return ("a PNM picture", SAVE);
    }
    if at(0, b"8BPS") {
        return ("a Photoshop document", SAVE);
    }
    if at(0, b"version https://git-lfs") {
        return ("a Git LFS pointer", "fetch the picture itself with 'git lfs pull'");
    }
    if starts("<!doctype html") || starts("<html") {
        return ("a web page", "the download gave a page instead of the picture: download the picture itself");
    }
    if starts("<svg") || (starts("<?xml") && text.as_deref().is_some_and(|t| t.contains("<svg"))) {
        return ("an SVG drawing", "export it as PNG");
    }
    if text.is_some() {
        return ("a text file", "give a PNG, JPEG, BMP, GIF, WebP or TIFF");
    }
    ("of no known kind", "give a PNG, JPEG, BMP, GIF, WebP or TIFF")
}

/// The beginning in lower case without leading blanks, if it is text.
fn text_start(head: &[u8]) -> Option<String> {
    // The cut at 512 bytes may split a character.
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() + 4 > head.len() => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let plain = text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
    plain.then(|| text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']).to_lowercase())
}

/// What the markers of a JPEG say of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Jpeg {
    /// Columns; 0 where no marker says.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Color components.
    pub components: u64,
    /// Progressive, or in several scans: the decoder holds the coefficients of the whole picture.
    pub buffered: bool,
    /// It runs to its end marker.
    pub whole: bool,
}

/// Looks through the markers of a JPEG.
///
/// The decoder fills what is missing at the end with grey and reports no error; half a digit would be classified with confidence.
pub(super) fn jpeg(bytes: &[u8]) -> Jpeg {
    let mut found = Jpeg::default();
    let mut at = 2;
    let mut scans = 0;
    while let Some(&byte) = bytes.get(at) {
        if byte != 0xff {
            // Between segments only fill bytes are allowed, but decoders forgive others, so do we.
            at += 1;
            continue;
        }
        let Some(&marker) = bytes.get(at + 1) else { break };
        match marker {
            0xff => at += 1,
            0xd9 => {
                found.whole = true;
                break;
            }
            0x00 | 0x01 | 0xd0..=0xd8 => at += 2,
            _ if scans > 0 && marker < 0xc0 => at += 2,
            _ => {
                let Some(length) = bytes.get(at + 2..at + 4) else { break };
                // Frames; DHT, JPG and DAC share their range. Of several, the largest: who knows which the decoder takes.
                if matches!(marker, 0xc0..=0xcf)
                    && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
                    && let Some(&[_, h1, h2, w1, w2, components]) = bytes.get(at + 4..at + 10).and_then(|b| b.first_chunk())
                {
                    let (width, height) = (u16::from_be_bytes([w1, w2]).into(), u16::from_be_bytes([h1, h2]).into());
                    if u64::from(width) * u64::from(height) >= u64::from(found.width) * u64::from(found.height) {
                        (found.width, found.height) = (width, height);
                    }
                    found.components = found.components.max(components.into());
                    found.buffered |= !matches!(marker, 0xc0 | 0xc1);
                }
                if marker == 0xda {
                    scans += 1;
                    found.buffered |= scans > 1;
                }
                at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]])).max(2);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_it_is_not() {
        let names = |bytes: &[u8]| describe(bytes).0;
        assert_eq!(names(b"hello, world\n"), "a text file");
        assert_eq!(names("żółw\n".as_bytes()), "a text file");
        assert_eq!(names(b"\n <!DOCTYPE html><p>404"), "a web page");
        assert_eq!(names(b"<?xml version='1.0'?><svg/>"), "an SVG drawing");
        assert_eq!(names(b"%PDF-1.7"), "a PDF document");
        assert_eq!(names(b"\0\0\0\x18ftypheic"), "a HEIC photo");
        assert_eq!(names(&[0x1f, 0x8b, 8]), "a gzip archive");
        assert_eq!(names(&[0, 0, 8, 3]), "an IDX data file");
        assert_eq!(names(&[7, 1, 200]), "of no known kind");
    }

    #[test]
    fn jpeg_end_marker() {
        let jpeg_is_whole = |bytes: &[u8]| jpeg(bytes).whole;
        // A thumbnail's end marker inside a segment does not count.
        assert!(!jpeg_is_whole(&[0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9]));
        assert!(jpeg_is_whole(&[0xff, 0xd8, 0xff, 0xda, 0, 2, 1, 0xff, 0, 2, 0xff, 0xd9, 9]));
        assert!(!jpeg_is_whole(&[0xff, 0xd8, 0xff]));
        assert!(!jpeg_is_whole(&[]));
    }

    #[test]
    fn jpeg_frame_and_scans() {
        let frame = [0xff, 0xc2, 0, 8, 8, 0x12, 0x34, 0x56, 0x78, 3];
        let found = jpeg(&[&[0xff, 0xd8], &frame[..], &[0xff, 0xd9]].concat());
        assert_eq!(found, Jpeg { width: 0x5678, height: 0x1234, components: 3, buffered: true, whole: true });
        let two = jpeg(&[&[0xff, 0xd8], &frame[..], &[0xff, 0xc0, 0, 8, 8, 0, 1, 0, 1, 1]].concat());
        assert_eq!((two.width, two.components, two.whole), (0x5678, 3, false));
        let scan = [0xff, 0xda, 0, 2, 7];
        let baseline = |scans| jpeg(&[&[0xff, 0xd8, 0xff, 0xc0, 0, 8, 8, 0, 1, 0, 1, 3][..], &scan.repeat(scans)].concat());
        assert_eq!((baseline(1).buffered, baseline(2).buffered, baseline(1).whole), (false, true, false));
    }
}
