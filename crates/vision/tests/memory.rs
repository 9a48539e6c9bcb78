//! Memory that decoding takes, as the system counts it.
#![cfg(target_os = "linux")]

use maobi_vision::{Limits, cost, decode_bytes};
use std::fs;
use std::io::Write;

/// A value of `/proc/self/status` in bytes.
fn status(key: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// A PNG of `side × side` pixels in 16-bit RGBA, written row by row.
fn large(side: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Sixteen);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().unwrap();
    let mut stream = writer.stream_writer().unwrap();
    let rows: [Vec<u8>; 2] = [0, 1].map(|odd| (0..side).flat_map(|x| [if x / 700 % 2 == odd { 0 } else { 255 }; 8]).collect());
    (0..side).for_each(|y| stream.write_all(&rows[y as usize / 700 % 2]).unwrap());
    stream.finish().unwrap();
    drop(writer);
    bytes
}

/// The only test of this program: the peak is that of the whole process.
#[test]
fn a_picture_of_49_megapixels_takes_no_more_than_its_head_tells() {
    let bytes = large(7000);
    let limits = Limits::default();
    let told = cost(&bytes, "large.png", &limits).unwrap();
    // Forgets the peak so far.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status("VmRSS");
    let picture = decode_bytes(&bytes, "large.png", &limits).unwrap();
    let taken = status("VmHWM") - before;
    assert_eq!((picture.width, picture.full), (3500, (7000, 7000)));
    // In 16 bits and all at once it would be 392 MB.
    assert!(taken <= told.decoding && told.decoding < 60_000_000, "{taken} bytes taken, {} told", told.decoding);
}
