//! Estimates from a picture's header how much memory it will take.

use super::sniff::Jpeg;
use image::{ImageDecoder, ImageFormat};

/// A picture with more pixels than this is shrunk while it is decoded: squares of 2 × 2 pixels (3 × 3 from 100 million pixels on, and
/// so on) become one.
///
/// The pipeline works on at most 2000 pixels a side. Photos of most cameras have fewer pixels than this and are not shrunk.
pub const SHRINK_ABOVE: u64 = 25_000_000;

/// How many pixels a side become one.
pub(super) fn factor(width: u32, height: u32) -> usize {
    let pixels = u64::from(width) * u64::from(height);
    (1..256).find(|factor| pixels <= SHRINK_ABOVE.saturating_mul(factor * factor)).unwrap_or(256) as usize
}

/// How much memory a picture will take, as [`cost`](super::cost()) estimates it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Columns in the file.
    pub width: u32,
    /// Rows in the file.
    pub height: u32,
    /// Peak memory of decoding in bytes, without the file itself.
    pub decoding: u64,
    /// Peak memory of [`prepare`](crate::prepare()) and [`segment`](crate::segment()) in bytes, with the decoded picture.
    pub reading: u64,
}

/// Longest side of a plane that the pipeline looks at: [`segment`](crate::segment()) reads fine writing on a large picture.
const LONGEST: u64 = 2000;
/// Bytes that the pipeline may hold for each pixel of that plane: five grounds are tried, each with its ink, and neighbors of those.
const EACH: u64 = 64;
/// Tables, rows, glyphs, and the network's own memory.
const FIXED: u64 = 16_000_000;

impl Cost {
    /// The cost of a picture for which the decoder takes `each` bytes a pixel and `extra` bytes.
    pub(super) fn new((width, height): (u32, u32), each: u64, extra: u64) -> Self {
        let pixels = u64::from(width) * u64::from(height);
        let factor = factor(width, height) as u64;
        let kept = u64::from(width).div_ceil(factor).saturating_mul(u64::from(height).div_ceil(factor));
        let longest = u64::from(width.max(height)).div_ceil(factor).max(1);
        // Small pictures are enlarged to sides of 160 to 320 pixels.
        let plane = (kept.saturating_mul(LONGEST.min(longest).pow(2)) / longest.pow(2)).max(320 * 320);
        Self {
            width,
            height,
            // Grey and alpha; then grey and the same turned upright.
            decoding: pixels.saturating_mul(each).saturating_add(kept.saturating_mul(2)).saturating_add(extra + FIXED),
            reading: kept.saturating_add(plane * EACH).saturating_add(FIXED),
        }
    }

    /// The cost of a picture that need not be decoded: `width × height` grey values.
    pub fn of_grey(width: usize, height: usize) -> Self {
        let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self::new((side(width), side(height)), 1, 0)
    }

    /// Peak memory in bytes: decoding has ended when reading begins.
    pub fn bytes(&self) -> u64 {
        self.decoding.max(self.reading)
    }

    /// The cost of a JPEG file of `file` bytes, which the decoder copies.
    pub(super) fn of_jpeg(jpeg: &Jpeg, file: u64) -> Self {
        // Coefficients of 16 bits for each component.
        let coefficients = if jpeg.buffered { 2 * jpeg.components.max(1) } else { 0 };
        let color = if jpeg.components == 1 { 1 } else { 3 };
        Self::new((jpeg.width, jpeg.height), color + coefficients, file)
    }

    /// The cost of any other format: the image crate decodes the whole picture at once.
    pub(super) fn of_decoder(decoder: &impl ImageDecoder, format: ImageFormat, file: u64) -> Self {
        let color = u64::from(decoder.color_type().bytes_per_pixel());
        let more = match format {
            // A frame beside the screen.
            ImageFormat::Gif => 4,
            // Planes of luminance and color, or four bytes of lossless samples, and alpha.
            ImageFormat::WebP => 6,
            // A whole copy, before it became RGB.
            ImageFormat::Tiff => u64::from(decoder.original_color_type().bits_per_pixel()).div_ceil(8).max(color),
            _ => 0,
        };
        Self::new(decoder.dimensions(), color + more, file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_are_left_alone_and_larger_ones_shrunk() {
        let factors = [(28, 28), (6000, 4000), (5000, 5000), (5001, 5000), (8192, 6144), (10_000, 10_000), (10_001, 10_000)];
        assert_eq!(factors.map(|(w, h)| factor(w, h)), [1, 1, 1, 2, 2, 2, 3]);
        assert_eq!(factor(u32::MAX, u32::MAX), 256);
    }

    #[test]
    fn a_large_png_is_cheap_and_nothing_overflows() {
        let png = Cost::new((7000, 7000), 0, 0);
        assert_eq!(png.decoding, 2 * 3500 * 3500 + FIXED);
        assert_eq!(png.reading, 3500 * 3500 + 2000 * 2000 * EACH + FIXED);
        assert_eq!(Cost::new((u32::MAX, u32::MAX), 16, 9).decoding, u64::MAX);
        let small = Cost::new((1, 1), 3, 0);
        assert!(small.bytes() < 25_000_000, "{small:?}");
    }
}
