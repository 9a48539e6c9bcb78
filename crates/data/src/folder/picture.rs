//! One picture file to pixels of a given form.

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageReader};

use crate::error::DataError;
use crate::limits::Limits;

/// What every picture is made: its size, and grey or in colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    height: usize,
    width: usize,
    colour: bool,
}

impl Default for Picture {
    /// Grey, 28 × 28.
    fn default() -> Self {
        Picture::grey(28, 28)
    }
}

impl Picture {
    /// One channel.
    pub fn grey(height: usize, width: usize) -> Self {
        Picture { height, width, colour: false }
    }

    /// Three channels: red, green, blue.
    pub fn rgb(height: usize, width: usize) -> Self {
        Picture { height, width, colour: true }
    }

    /// A form of the given `[height, width, channels]`.
    ///
    /// # Errors
    /// [`DataError::Invalid`] when a side is 0 or beyond 16,384, or there are neither 1 nor 3 channels.
    pub fn of_shape(shape: [usize; 3]) -> Result<Self, DataError> {
        let [height, width, channels] = shape;
        if !(1..=16_384).contains(&height) || !(1..=16_384).contains(&width) || !matches!(channels, 1 | 3) {
            let expected = "sides from 1 to 16384 and 1 or 3 channels";
            return Err(DataError::invalid("picture size", expected, format!("{shape:?}")));
        }
        Ok(Picture { height, width, colour: channels == 3 })
    }

    /// `[height, width, channels]`.
    pub fn shape(self) -> [usize; 3] {
        [self.height, self.width, if self.colour { 3 } else { 1 }]
    }
}

/// Reads a picture: turned as its EXIF says, transparent parts on white, grey or RGB, resized by bicubic interpolation when it has
/// another size (stretched when it has other proportions). Returns `[height, width, channels]`.
///
/// # Errors
/// [`DataError::Read`], [`DataError::TooLarge`] beyond `limits`, [`DataError::Malformed`] when it cannot be decoded.
pub fn decode(path: impl AsRef<Path>, form: Picture, limits: &Limits) -> Result<Vec<u8>, DataError> {
    let path = path.as_ref();
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(DataError::read(path))?;
    // Not the announced size: a pipe or a growing file has none.
    BufReader::new(file).take(limits.max_picture_bytes + 1).read_to_end(&mut bytes).map_err(DataError::read(path))?;
    if bytes.len() as u64 > limits.max_picture_bytes {
        let (found, limit) = (bytes.len() as u64, limits.max_picture_bytes);
        return Err(DataError::TooLarge { file: name, what: "the size in bytes of the picture", found, limit });
    }
    let expected = "a picture (PNG, JPEG, BMP, GIF, WebP or TIFF) within the limits";
    // The WebP decoder would take memory for a chunk of any size.
    if bytes.starts_with(b"RIFF") && !maobi_guard::riff_is_whole(&bytes) {
        return Err(DataError::malformed(&name, expected, "a WebP picture with a part that is longer than the file"));
    }
    // Decoders are not ours and may panic on a damaged file.
    let picture = maobi_guard::guard(|| open(&bytes, limits).map_err(|error| DataError::malformed(&name, expected, error)));
    let picture = picture.unwrap_or_else(|panicked| Err(DataError::malformed(&name, expected, panicked)))?;
    Ok(shape(on_white(picture), form))
}

fn open(bytes: &[u8], limits: &Limits) -> Result<DynamicImage, image::ImageError> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut bounds = image::Limits::default();
    bounds.max_image_width = Some(limits.max_picture_side);
    bounds.max_image_height = Some(limits.max_picture_side);
    bounds.max_alloc = Some(limits.max_picture_bytes.saturating_mul(8));
    reader.limits(bounds);
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Puts a picture with an alpha channel on white paper: dropping the channel would turn a drawing on nothing into plain black.
fn on_white(picture: DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return picture;
    }
    let mut picture = picture.into_rgba8();
    for pixel in picture.pixels_mut() {
        let [.., alpha] = pixel.0;
        let blend = |c: u8| ((u32::from(c) * u32::from(alpha) + 255 * u32::from(255 - alpha) + 127) / 255) as u8;
        pixel.0 = [blend(pixel.0[0]), blend(pixel.0[1]), blend(pixel.0[2]), 255];
    }
    DynamicImage::ImageRgba8(picture)
}

fn shape(picture: DynamicImage, form: Picture) -> Vec<u8> {
    let plain = match form.colour {
        true => DynamicImage::ImageRgb8(picture.into_rgb8()),
        false => DynamicImage::ImageLuma8(picture.into_luma8()),
    };
    let (width, height) = (form.width as u32, form.height as u32);
    if (plain.width(), plain.height()) == (width, height) {
        return plain.into_bytes();
    }
    plain.resize_exact(width, height, FilterType::CatmullRom).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};

    fn round_trip(picture: &DynamicImage, form: Picture, limits: &Limits) -> Result<Vec<u8>, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.png");
        picture.save(&path).unwrap();
        decode(&path, form, limits)
    }

    #[test]
    fn pixels_of_the_right_size_come_back_untouched() {
        let picture = GrayImage::from_fn(3, 2, |x, y| Luma([(x * 10 + y) as u8]));
        let found = round_trip(&DynamicImage::ImageLuma8(picture), Picture::grey(2, 3), &Limits::default()).unwrap();
        assert_eq!(found, [0, 10, 20, 1, 11, 21]);
    }

    #[test]
    fn colour_and_grey() {
        let picture = DynamicImage::ImageRgb8(RgbImage::from_pixel(4, 4, Rgb([255, 0, 0])));
        let found = round_trip(&picture, Picture::rgb(1, 2), &Limits::default()).unwrap();
        assert_eq!(found, [255, 0, 0, 255, 0, 0]);
        // Rec. 709 luma of pure red: 0.2126 of 255.
        assert_eq!(round_trip(&picture, Picture::grey(1, 1), &Limits::default()).unwrap(), [54]);
    }

    #[test]
    fn transparent_is_white_paper() {
        let mut picture = RgbaImage::from_pixel(2, 1, Rgba([0, 0, 0, 0]));
        picture.put_pixel(1, 0, Rgba([0, 0, 0, 255]));
        let found = round_trip(&DynamicImage::ImageRgba8(picture), Picture::grey(1, 2), &Limits::default()).unwrap();
        assert_eq!(found, [255, 0]);
    }

    #[test]
    fn limits_hold() {
        let picture = DynamicImage::ImageLuma8(GrayImage::new(100, 100));
        let side = Limits { max_picture_side: 99, ..Limits::default() };
        assert!(matches!(round_trip(&picture, Picture::default(), &side), Err(DataError::Malformed { .. })));
        let bytes = Limits { max_picture_bytes: 10, ..Limits::default() };
        assert!(matches!(round_trip(&picture, Picture::default(), &bytes), Err(DataError::TooLarge { found: 11, .. })));
        assert!(Picture::of_shape([28, 28, 2]).is_err());
        assert_eq!(Picture::of_shape([28, 30, 3]).unwrap(), Picture::rgb(28, 30));
    }

    #[test]
    fn a_panic_of_a_decoder_is_an_error_of_that_file() {
        // A palette of four bytes, which is no multiple of three: `png` 0.18.1 panics.
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/vision/plte-of-4-bytes.png");
        let error = decode(path, Picture::default(), &Limits::default()).unwrap_err();
        assert!(matches!(&error, DataError::Malformed { found, .. } if found.starts_with("the decoder failed: ")), "{error}");
    }
}
