//! One picture file to pixels of a given form.

use std::path::Path;

use maobi_vision::decode::read_file;
use maobi_vision::preprocess::bicubic;
use maobi_vision::{DecodeError, decode_bytes, decode_color};

use crate::error::DataError;
use crate::limits::Limits;

/// What every picture is made: its size, and gray or in color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    height: usize,
    width: usize,
    color: bool,
}

impl Default for Picture {
    /// Gray, 28 × 28.
    fn default() -> Self {
        Picture::grey(28, 28)
    }
}

impl Picture {
    /// One channel.
    pub fn grey(height: usize, width: usize) -> Self {
        Picture { height, width, color: false }
    }

    /// Three channels: red, green, blue.
    pub fn rgb(height: usize, width: usize) -> Self {
        Picture { height, width, color: true }
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
        Ok(Picture { height, width, color: channels == 3 })
    }

    /// `[height, width, channels]`.
    pub fn shape(self) -> [usize; 3] {
        [self.height, self.width, if self.color { 3 } else { 1 }]
    }

    /// Pixels `[height, width, channels]` of a picture file in memory: read as [`maobi_vision::decode`] reads pictures to predict from,
    /// then resized by bicubic interpolation when it has another size (stretched when it has other proportions). Gray pixels are those
    /// that [`Preprocess::None`](maobi_vision::Preprocess::None) gives. `name` stands for the file in messages.
    ///
    /// # Errors
    /// [`DecodeError`]: no picture, damaged, or beyond `limits`.
    pub fn decode(self, bytes: &[u8], name: &str, limits: &maobi_vision::Limits) -> Result<Vec<u8>, DecodeError> {
        let size = (self.width, self.height);
        if !self.color {
            let picture = decode_bytes(bytes, name, limits)?;
            return Ok(bicubic(&picture.grey, (picture.width, picture.height), size));
        }
        let (rgb, from) = decode_color(bytes, name, limits)?;
        let plane = |c: usize| rgb.iter().skip(c).step_by(3).copied().collect::<Vec<u8>>();
        let [r, g, b] = [0, 1, 2].map(|c| bicubic(&plane(c), from, size));
        Ok(r.iter().zip(&g).zip(&b).flat_map(|((&r, &g), &b)| [r, g, b]).collect())
    }
}

/// Reads a picture file, see [`Picture::decode`].
///
/// # Errors
/// [`DataError::Picture`], which names the file.
pub fn decode(path: impl AsRef<Path>, form: Picture, limits: &Limits) -> Result<Vec<u8>, DataError> {
    let path = path.as_ref();
    let bytes = read_file(path, &limits.pictures)?;
    Ok(form.decode(&bytes, &path.display().to_string(), &limits.pictures)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};

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
    fn color_and_grey() {
        let picture = DynamicImage::ImageRgb8(RgbImage::from_pixel(4, 4, Rgb([255, 0, 0])));
        let found = round_trip(&picture, Picture::rgb(1, 2), &Limits::default()).unwrap();
        assert_eq!(found, [255, 0, 0, 255, 0, 0]);
        // Rec. 601 luma of pure red: 0.299 of 255.
        assert_eq!(round_trip(&picture, Picture::grey(1, 1), &Limits::default()).unwrap(), [76]);
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
        let message = |pictures| {
            let limits = Limits { pictures, ..Limits::default() };
            round_trip(&picture, Picture::default(), &limits).unwrap_err().to_string()
        };
        let most = maobi_vision::Limits::default();
        let error = message(maobi_vision::Limits { max_side: 99, ..most });
        assert!(error.contains("p.png: the picture is 100×100, the limit for a side is 99"), "{error}");
        let error = message(maobi_vision::Limits { max_bytes: 10, ..most });
        assert!(error.contains("the limit is 10; shrink the picture"), "{error}");
        assert!(Picture::of_shape([28, 28, 2]).is_err());
        assert_eq!(Picture::of_shape([28, 30, 3]).unwrap(), Picture::rgb(28, 30));
    }
}
