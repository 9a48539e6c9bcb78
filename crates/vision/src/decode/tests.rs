//! Every format and every way a file can be wrong.

use super::*;
use image::{ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;

const FORMATS: [ImageFormat; 6] =
    [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Tiff];

fn encode(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.into().write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// 16×8, dark in the top left quarter only.
fn corner() -> RgbImage {
    RgbImage::from_fn(16, 8, |x, y| if x < 8 && y < 4 { Rgb([0; 3]) } else { Rgb([255; 3]) })
}

fn decode(bytes: &[u8]) -> Result<Picture, DecodeError> {
    decode_bytes(bytes, "test.bin", &Limits::default())
}

fn message(bytes: &[u8]) -> String {
    decode(bytes).unwrap_err().to_string()
}

#[test]
fn every_format_is_read_by_content() {
    for format in FORMATS {
        let picture = decode(&encode(corner(), format)).unwrap();
        assert_eq!((picture.width, picture.height, picture.ground), (16, 8, Ground::Opaque), "{format:?}");
        for (i, &grey) in picture.grey.iter().enumerate() {
            let expected = if i % 16 < 8 && i / 16 < 4 { 0u8 } else { 255 };
            // JPEG is lossy; the edges lie on block borders or ring a little.
            let tolerance = if format == ImageFormat::Jpeg { 40 } else { 0 };
            assert!(grey.abs_diff(expected) <= tolerance, "{format:?} pixel {i}: {grey}");
        }
    }
}

#[test]
fn extension_does_not_matter_and_files_and_streams_agree() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("really-a-png.jpg");
    let bytes = encode(corner(), ImageFormat::Png);
    std::fs::write(&path, &bytes).unwrap();
    let from_file = decode_file(&path, &Limits::default()).unwrap();
    assert_eq!(
        from_file,
        decode_bytes(&read_stream(&bytes[..], "stdin", &Limits::default()).unwrap(), "stdin", &Limits::default()).unwrap()
    );
}

#[test]
fn depths_and_floats() {
    let deep = image::ImageBuffer::<Luma<u16>, _>::from_fn(3, 1, |x, _| Luma([x as u16 * 32767]));
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        assert_eq!(decode(&encode(deep.clone(), format)).unwrap().grey, [0, 127, 255], "{format:?}");
    }
    let float = image::Rgb32FImage::from_fn(3, 1, |x, _| Rgb([x as f32 / 2.0; 3]));
    assert_eq!(decode(&encode(float, ImageFormat::Tiff)).unwrap().grey, [0, 128, 255]);
}

#[test]
fn transparent_drawings_stay_visible() {
    for (ink, paper, ground) in [(0u8, 255u8, Ground::White), (255, 0, Ground::Black)] {
        let drawing = RgbaImage::from_fn(9, 9, |x, _| Rgba([ink, ink, ink, if x == 4 { 255 } else { 0 }]));
        for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Tiff] {
            let picture = decode(&encode(drawing.clone(), format)).unwrap();
            assert_eq!((picture.ground, picture.grey[4], picture.grey[0]), (ground, ink, paper), "{format:?}");
        }
    }
}

/// A JPEG with an EXIF segment that holds nothing but the orientation.
fn with_orientation(orientation: u8) -> Vec<u8> {
    let jpeg = encode(corner(), ImageFormat::Jpeg);
    let mut exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    [&jpeg[..2], &exif, &jpeg[2..]].concat()
}

#[test]
fn exif_orientations() {
    // (orientation, width, height, the dark quarter is at the right, at the bottom)
    let expected = [
        (1, 16, 8, false, false),
        (2, 16, 8, true, false),
        (3, 16, 8, true, true),
        (4, 16, 8, false, true),
        (5, 8, 16, false, false),
        (6, 8, 16, true, false),
        (7, 8, 16, true, true),
        (8, 8, 16, false, true),
    ];
    for (orientation, width, height, right, bottom) in expected {
        let picture = decode(&with_orientation(orientation)).unwrap();
        assert_eq!((picture.width, picture.height), (width, height), "orientation {orientation}");
        let at = |r: bool, b: bool| {
            let (x, y) = (width / 4 + if r { width / 2 } else { 0 }, height / 4 + if b { height / 2 } else { 0 });
            picture.grey[y * width + x]
        };
        for (r, b) in [(false, false), (true, false), (false, true), (true, true)] {
            assert_eq!(at(r, b) < 128, (r, b) == (right, bottom), "orientation {orientation}: {r} {b}");
        }
    }
    assert_eq!(decode(&with_orientation(77)).unwrap().width, 16, "nonsense is ignored");
}

#[test]
fn empty_and_not_a_picture() {
    assert_eq!(message(b""), "test.bin: the file is empty (0 bytes); copy or download it again");
    assert_eq!(
        message(b"this is a note\n"),
        "test.bin: is a text file, not a picture that can be read; give a PNG, JPEG, BMP, GIF, WebP or TIFF"
    );
}

#[test]
fn missing_files_and_folders() {
    let folder = tempfile::tempdir().unwrap();
    let missing = decode_file(folder.path().join("no.png"), &Limits::default()).unwrap_err().to_string();
    assert!(missing.contains("no.png: cannot be read: "), "{missing}");
    assert!(missing.ends_with("check the path and its permissions"), "{missing}");
    assert!(matches!(decode_file(folder.path(), &Limits::default()), Err(DecodeError::Folder { .. })));
}

#[test]
fn cut_files_are_refused() {
    // Noise, so that the pixels take up most of the file.
    let noise = RgbImage::from_fn(40, 40, |x, y| Rgb([(x * 37 + y * 101 + x * y * 7) as u8, (x * y) as u8, (y * 91) as u8]));
    for format in FORMATS {
        let bytes = encode(noise.clone(), format);
        let text = message(&bytes[..bytes.len() / 2]);
        assert!(text.contains("damaged or cut short"), "{format:?}: {text}");
        assert!(text.starts_with("test.bin: the "), "{format:?}: {text}");
    }
}

#[test]
fn limits_on_bytes() {
    let bytes = encode(corner(), ImageFormat::Bmp);
    let limits = Limits { max_bytes: 100, ..Limits::default() };
    let text = decode_bytes(&bytes, "big.bmp", &limits).unwrap_err().to_string();
    let expected =
        format!("big.bmp: the file has {} bytes, the limit is 100; shrink the picture or raise the limit", bytes.len());
    assert_eq!(text, expected);
    let text = read_stream(std::io::repeat(7), "stdin", &limits).unwrap_err().to_string();
    assert_eq!(text, "stdin: the file has more than 100 bytes, the limit is 100; shrink the picture or raise the limit");
}

#[test]
fn very_long_pictures_are_refused() {
    let long = |width| encode(image::GrayImage::from_fn(width, 1, |x, _| Luma([(x % 251) as u8])), ImageFormat::Png);
    let picture = decode(&long(32_767)).unwrap();
    assert_eq!((picture.width, picture.height, picture.grey[250]), (32_767, 1, 250));
    let text = decode(&long(100_000)).unwrap_err().to_string();
    assert!(
        text.ends_with("the picture is 100000×1, the limit for a side is 32767; crop or shrink the picture or raise the limit"),
        "{text}"
    );
}

/// CRC-32 as PNG has it, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// A small PNG whose header promises `width × height`.
fn png_bomb(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = encode(image::GrayImage::new(8, 8), ImageFormat::Png);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&sum.to_be_bytes());
    bytes
}

#[test]
fn bombs_are_refused_by_their_header() {
    assert_eq!(
        message(&png_bomb(60_000, 50_000)),
        "test.bin: the picture is 60000×50000, 3000000000 pixels, the limit is 100000000; shrink the picture or raise the limit"
    );
    for (format, at) in [(ImageFormat::Gif, 6), (ImageFormat::Bmp, 18)] {
        let mut bytes = encode(corner(), format);
        let size: &[u8] = if at == 6 { &[0xff, 0x7f, 0xff, 0x7f] } else { &[0xff, 0x7f, 0, 0, 0xff, 0x7f, 0, 0] };
        bytes[at..at + size.len()].copy_from_slice(size);
        assert!(matches!(decode(&bytes), Err(DecodeError::TooManyPixels { .. })), "{format:?}: {}", message(&bytes));
    }
}

#[test]
fn damaged_files_never_panic() {
    // A counter generator (SplitMix64): the same damage in each run.
    let mut state = 1u64;
    let mut next = |n: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        ((z ^ (z >> 27)) % n as u64) as usize
    };
    // A small limit, so that a flipped size does not make the test allocate and decode for seconds.
    let limits = Limits { max_bytes: 1_000_000, max_pixels: 1_000_000, ..Limits::default() };
    let rgba = RgbaImage::from_fn(12, 10, |x, y| Rgba([(x * 20) as u8, (y * 25) as u8, 9, (x * y * 2) as u8]));
    let mut samples: Vec<Vec<u8>> = FORMATS.iter().map(|&format| encode(corner(), format)).collect();
    samples.extend([ImageFormat::Png, ImageFormat::WebP, ImageFormat::Tiff, ImageFormat::Gif].map(|f| encode(rgba.clone(), f)));
    samples.push(with_orientation(6));
    let mut refused = 0;
    for round in 0..6000 {
        let mut bytes = samples[round % samples.len()].clone();
        for _ in 0..next(4) {
            let at = next(bytes.len());
            bytes[at] = if next(2) == 0 { next(256) as u8 } else { bytes[at] ^ (1 << next(8)) };
        }
        if next(3) == 0 {
            bytes.truncate(next(bytes.len() + 1));
        }
        match decode_bytes(&bytes, "damaged", &limits) {
            Ok(picture) => assert_eq!(picture.grey.len(), picture.width * picture.height),
            Err(_) => refused += 1,
        }
    }
    assert!((1000..6000).contains(&refused), "{refused} of 6000 refused: the damage is too mild or too harsh");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn arbitrary_bytes_never_panic(head in 0usize..8, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let magic: &[u8] = [&b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff", b"BM", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"II*\0", b"MM\0*", b""][head];
        let limits = Limits { max_bytes: 1000, max_pixels: 100_000, ..Limits::default() };
        let _ = decode_bytes(&[magic, &bytes].concat(), "noise", &limits);
    }
}

/// A PNG of one pixel whose palette has four bytes, which is no multiple of three: `png` 0.18.1 panics.
const PALETTE: &[u8] = include_bytes!("../../../../fixtures/vision/plte-of-4-bytes.png");

#[test]
fn a_panic_of_a_decoder_is_an_error_of_that_picture() {
    let text = message(PALETTE);
    let (begin, end) =
        ("test.bin: the PNG is damaged or cut short (the decoder failed: ", "; copy or download it again, or save it anew");
    assert!(text.starts_with(begin) && text.ends_with(end), "{text}");
}

/// An interlaced PNG of 8-bit samples, `channels` for each pixel.
fn interlaced(size: (usize, usize), channels: usize, sample: impl Fn(usize, usize, usize) -> u8) -> Vec<u8> {
    let mut rows = Vec::new();
    for (x0, dx, y0, dy) in [(0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)] {
        for y in (y0..size.1).step_by(dy).filter(|_| x0 < size.0) {
            // No filter.
            rows.push(0);
            rows.extend((x0..size.0).step_by(dx).flat_map(|x| (0..channels).map(move |c| (x, c))).map(|(x, c)| sample(x, y, c)));
        }
    }
    let mut data = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut data, &rows).unwrap();
    let color = [0, 0, 4, 2, 6][channels];
    let head = [&(size.0 as u32).to_be_bytes()[..], &(size.1 as u32).to_be_bytes(), &[8, color, 0, 0, 1]].concat();
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", head), (b"IDAT", data.finish().unwrap()), (b"IEND", Vec::new())] {
        let chunk = [&kind[..], &data].concat();
        png.extend((data.len() as u32).to_be_bytes());
        png.extend(&chunk);
        png.extend(crc(&chunk).to_be_bytes());
    }
    png
}

#[test]
fn interlaced_pictures_are_put_together() {
    for size in [(1, 1), (5, 3), (8, 8), (19, 11)] {
        let shade = |x: usize, y: usize| (x * 11 + y * 17) as u8;
        let picture = decode(&interlaced(size, 1, |x, y, _| shade(x, y))).unwrap();
        let expected: Vec<u8> = (0..size.0 * size.1).map(|i| shade(i % size.0, i / size.0)).collect();
        assert_eq!((picture.width, picture.height, picture.grey), (size.0, size.1, expected));
        let clear = decode(&interlaced(size, 4, |x, y, c| if c == 3 { shade(x, y) } else { 0 })).unwrap();
        let expected: Vec<u8> = (0..size.0 * size.1).map(|i| 255 - shade(i % size.0, i / size.0)).collect();
        // Black ink in the alpha channel, on white.
        assert_eq!((clear.grey, clear.ground == Ground::Opaque), (expected, false), "{size:?}");
    }
}

#[test]
fn very_large_pictures_are_shrunk_and_know_their_size() {
    // 5200 × 5001: two of each side become one.
    let shade = |x: u32, y: u32| ((x / 2) % 200 + (y / 2) % 50) as u8;
    let plain = image::GrayImage::from_fn(5200, 5001, |x, y| Luma([shade(x, y)]));
    let clear = image::GrayAlphaImage::from_fn(5200, 5001, |x, y| image::LumaA([shade(x, y), if y < 2 { 0 } else { 255 }]));
    for (bytes, first) in [
        (encode(plain.clone(), ImageFormat::Png), 0),
        (encode(clear, ImageFormat::Png), 255),
        (encode(plain, ImageFormat::Bmp), 0),
        (interlaced((5200, 5001), 1, |x, y, _| shade(x as u32, y as u32)), 0),
    ] {
        let picture = decode(&bytes).unwrap();
        assert_eq!((picture.width, picture.height, picture.full), (2600, 2501, (5200, 5001)));
        let at = |x: usize, y: usize| picture.grey[y * 2600 + x];
        assert_eq!((at(0, 0), at(7, 5), at(2599, 2500)), (first, 12, 199));
        let cost = cost(&bytes, "big", &Limits::default()).unwrap();
        assert_eq!((cost.width, cost.height), (5200, 5001));
    }
}

#[test]
fn the_head_tells_what_a_picture_takes() {
    for format in FORMATS {
        let bytes = encode(corner(), format);
        let cost = cost(&bytes, "small", &Limits::default()).unwrap();
        assert_eq!((cost.width, cost.height), (16, 8), "{format:?}");
        assert!(cost.bytes() < 50_000_000, "{format:?}: {cost:?}");
        let least = Limits { max_pixels: 100, ..Limits::default() };
        assert!(matches!(super::cost(&bytes, "small", &least), Err(DecodeError::TooManyPixels { .. })), "{format:?}");
    }
    // No memory is taken for 100 million pixels that a small file promises.
    let bomb = cost(&png_bomb(10_000, 10_000), "bomb", &Limits::default()).unwrap();
    assert!((50_000_000..70_000_000).contains(&bomb.decoding), "{bomb:?}");
}

#[test]
fn a_webp_chunk_longer_than_the_file_takes_no_memory() {
    // The extended form of the file, with room for EXIF whose size is that of no file.
    let plain = encode(corner(), ImageFormat::WebP);
    let extended = |size: u32| {
        let chunks = [&b"WEBPVP8X\x0a\0\0\0\x08\0\0\0\x0f\0\0\x07\0\0"[..], &plain[12..], b"EXIF", &size.to_le_bytes()].concat();
        [b"RIFF", &(chunks.len() as u32).to_le_bytes()[..], &chunks].concat()
    };
    assert_eq!(decode(&extended(0)).unwrap(), decode(&plain).unwrap());
    let expected = "test.bin: the WebP is damaged or cut short (a part of it is longer than the file)";
    assert!(message(&extended(u32::MAX)).starts_with(expected), "{}", message(&extended(u32::MAX)));
}
