//! Whole pictures of every format, depth and colour.

use super::mutate::png::{self, zlib};
use anyhow::Result;
use image::codecs::{bmp::BmpEncoder, gif::GifEncoder, jpeg::JpegEncoder, tiff::TiffEncoder, webp::WebPEncoder};
use image::{DynamicImage, ExtendedColorType, GrayImage, ImageEncoder, RgbImage, RgbaImage};
use maobi_data::builtin;
use std::io::Cursor;

/// Pictures of one kind: the ending of their names, and their bytes.
pub type Pictures = Vec<(&'static str, Vec<u8>)>;

/// All kinds.
pub fn all() -> Result<Vec<(&'static str, Pictures)>> {
    let (pixels, _) = builtin::digit(3, 1);
    let grey = GrayImage::from_fn(28, 28, |x, y| image::Luma([255 - pixels[(y * 28 + x) as usize]]));
    let rgb: RgbImage = DynamicImage::from(grey.clone()).to_rgb8();
    let rgba: RgbaImage = DynamicImage::from(grey.clone()).to_rgba8();
    let encode = |write: &dyn Fn(&mut Cursor<Vec<u8>>) -> image::ImageResult<()>| -> Result<Vec<u8>> {
        let mut out = Cursor::new(Vec::new());
        write(&mut out)?;
        Ok(out.into_inner())
    };
    let jpeg = vec![
        ("jpg", encode(&|out| JpegEncoder::new_with_quality(out, 80).write_image(&grey, 28, 28, ExtendedColorType::L8))?),
        ("jpg", encode(&|out| JpegEncoder::new_with_quality(out, 80).write_image(&rgb, 28, 28, ExtendedColorType::Rgb8))?),
    ];
    let gif = vec![("gif", encode(&|out| GifEncoder::new(out).encode(&rgba, 28, 28, ExtendedColorType::Rgba8))?)];
    let bmp = vec![
        ("bmp", encode(&|out| BmpEncoder::new(out).write_image(&grey, 28, 28, ExtendedColorType::L8))?),
        ("bmp", encode(&|out| BmpEncoder::new(out).write_image(&rgb, 28, 28, ExtendedColorType::Rgb8))?),
    ];
    let webp =
        vec![("webp", encode(&|out| WebPEncoder::new_lossless(out).write_image(&rgba, 28, 28, ExtendedColorType::Rgba8))?)];
    let tiff = vec![
        ("tiff", encode(&|out| TiffEncoder::new(out).write_image(&grey, 28, 28, ExtendedColorType::L8))?),
        ("tiff", encode(&|out| TiffEncoder::new(out).write_image(&rgb, 28, 28, ExtendedColorType::Rgb8))?),
        (
            "tiff",
            encode(&|out| {
                let deep: Vec<u8> = grey.iter().flat_map(|value| u16::from(*value).to_ne_bytes()).collect();
                TiffEncoder::new(out).write_image(&deep, 28, 28, ExtendedColorType::L16)
            })?,
        ),
    ];
    Ok(vec![("png", pngs(&pixels)), ("jpeg", jpeg), ("gif", gif), ("bmp", bmp), ("webp", webp), ("tiff", tiff)])
}

/// A drawn digit, dark on white.
pub fn digit_png(index: u64) -> Vec<u8> {
    let (pixels, _) = builtin::digit(7, index);
    let value = |x: usize, y: usize| 255 - pixels[y * 28 + x];
    one(Form { depth: 8, colour: 0, interlaced: false }, &value)
}

/// How a PNG keeps its pixels: bits a sample, PNG's number of the colour type, Adam7 or not.
#[derive(Clone, Copy)]
struct Form {
    depth: u8,
    colour: u8,
    interlaced: bool,
}

/// Every depth and colour type that PNG has, in rows and interlaced.
fn pngs(pixels: &[u8; 784]) -> Pictures {
    let forms: [(u8, &[u8]); 5] = [(0, &[1, 2, 4, 8, 16]), (2, &[8, 16]), (3, &[1, 2, 4, 8]), (4, &[8, 16]), (6, &[8, 16])];
    let value = |x: usize, y: usize| 255 - pixels[y * 28 + x];
    let mut pictures = Vec::new();
    for (colour, depths) in forms {
        for &depth in depths {
            for interlaced in [false, true] {
                pictures.push(("png", one(Form { depth, colour, interlaced }, &value)));
            }
        }
    }
    pictures
}

fn one(form: Form, value: &dyn Fn(usize, usize) -> u8) -> Vec<u8> {
    // First column, first row, steps between columns and rows of Adam7's passes.
    const PASSES: [[usize; 4]; 7] =
        [[0, 0, 8, 8], [4, 0, 8, 8], [0, 4, 4, 8], [2, 0, 4, 4], [0, 2, 2, 4], [1, 0, 2, 2], [0, 1, 1, 2]];
    let passes: &[[usize; 4]] = if form.interlaced { &PASSES } else { &[[0, 0, 1, 1]] };
    let mut rows = Vec::new();
    for &[left, top, across, down] in passes {
        for y in (top..28).step_by(down) {
            let samples: Vec<u8> = (left..28).step_by(across).map(|x| value(x, y)).collect();
            rows.push(0);
            rows.extend(packed(form, &samples));
        }
    }
    let header =
        [&28u32.to_be_bytes()[..], &28u32.to_be_bytes(), &[form.depth, form.colour, 0, 0, u8::from(form.interlaced)]].concat();
    let mut chunks = vec![(*b"IHDR", header)];
    if form.colour == 3 {
        let entries = 1usize << form.depth;
        let shade = |n: usize| (n * 255 / (entries - 1)) as u8;
        chunks.push((*b"PLTE", (0..entries).flat_map(|n| [shade(n); 3]).collect()));
        chunks.push((*b"tRNS", vec![255; entries / 2]));
    }
    chunks.push((*b"IDAT", zlib(&rows)));
    chunks.push((*b"IEND", Vec::new()));
    png::write(&chunks)
}

/// A row of samples in that form.
fn packed(form: Form, samples: &[u8]) -> Vec<u8> {
    if form.depth < 8 {
        let per_byte = usize::from(8 / form.depth);
        let pack = |part: &[u8]| {
            part.iter()
                .enumerate()
                .fold(0u8, |byte, (n, value)| byte | (value >> (8 - form.depth)) << (8 - form.depth as usize * (n + 1)))
        };
        return samples.chunks(per_byte).map(pack).collect();
    }
    let wide = usize::from(form.depth / 8);
    let pixel = |value: u8| -> Vec<u8> {
        let sample = vec![value; wide];
        match form.colour {
            2 => sample.repeat(3),
            4 => [sample, vec![255; wide]].concat(),
            6 => [sample.repeat(3), vec![255; wide]].concat(),
            _ => sample,
        }
    };
    samples.iter().flat_map(|value| pixel(*value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use maobi_vision::{Limits, decode_bytes};

    #[test]
    fn every_picture_is_whole() {
        for (kind, pictures) in all().unwrap() {
            assert!(!pictures.is_empty(), "{kind}");
            for (index, (_, bytes)) in pictures.iter().enumerate() {
                let picture =
                    decode_bytes(bytes, kind, &Limits::default()).unwrap_or_else(|error| panic!("{kind} {index}: {error}"));
                assert_eq!((picture.width, picture.height), (28, 28), "{kind} {index}");
            }
        }
    }
}
