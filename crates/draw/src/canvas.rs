//! An RGB canvas with anti-aliased lines, and its PNG.

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

/// Red, green, blue.
pub(super) type Colour = [u8; 3];

pub(super) const WHITE: Colour = [255, 255, 255];
/// Titles and numbers.
pub(super) const INK: Colour = [31, 41, 55];
/// Axis labels and captions of less weight.
pub(super) const MUTED: Colour = [107, 114, 128];
/// Grid lines and frames.
pub(super) const FAINT: Colour = [226, 229, 234];

/// Largest side, so that no input makes a picture that cannot be shown.
const LARGEST: usize = 16_000;

/// A white canvas `[height, width, 3]`.
pub(super) struct Canvas {
    pub width: usize,
    pub height: usize,
    rgb: Vec<u8>,
}

impl Canvas {
    pub fn new(width: usize, height: usize) -> Self {
        let (width, height) = (width.clamp(1, LARGEST), height.clamp(1, LARGEST));
        Self { width, height, rgb: vec![255; width * height * 3] }
    }

    /// Mixes a colour into one pixel; outside the canvas nothing happens.
    pub fn blend(&mut self, x: i64, y: i64, colour: Colour, cover: f64) {
        if x < 0 || y < 0 || x >= self.width as i64 || y >= self.height as i64 {
            return;
        }
        let at = (y as usize * self.width + x as usize) * 3;
        let cover = cover.clamp(0.0, 1.0);
        for (old, new) in self.rgb[at..at + 3].iter_mut().zip(colour) {
            *old = (f64::from(*old) + (f64::from(new) - f64::from(*old)) * cover).round() as u8;
        }
    }

    /// Fills columns `x..x + width` and rows `y..y + height`.
    pub fn fill(&mut self, (x, y): (i64, i64), (width, height): (i64, i64), colour: Colour) {
        for row in y.max(0)..(y + height).min(self.height as i64) {
            for column in x.max(0)..(x + width).min(self.width as i64) {
                self.blend(column, row, colour, 1.0);
            }
        }
    }

    /// A line with round ends, `thick` pixels wide, between two points in pixels (a pixel's centre lies at + 0.5).
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), thick: f64, colour: Colour) {
        let reach = thick / 2.0 + 1.0;
        let range = |a: f64, b: f64, n: usize| {
            let (low, high) = (a.min(b) - reach, a.max(b) + reach);
            (low.floor().max(0.0) as i64)..(high.ceil().min(n as f64) as i64)
        };
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx * dx + dy * dy;
        for y in range(from.1, to.1, self.height) {
            for x in range(from.0, to.0, self.width) {
                let (px, py) = (x as f64 + 0.5 - from.0, y as f64 + 0.5 - from.1);
                let along = if length > 0.0 { ((px * dx + py * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
                let distance = (px - along * dx).hypot(py - along * dy);
                let cover = thick / 2.0 + 0.5 - distance;
                if cover > 0.0 {
                    self.blend(x, y, colour, cover);
                }
            }
        }
    }

    /// Lays an image `[height, width, channels]` (1 or 3 channels, others show their first) at `place`, `zoom` times as large.
    /// An image whose length does not fit its sides leaves a grey field.
    pub fn image(&mut self, place: (i64, i64), image: &[u8], (height, width, channels): (usize, usize, usize), zoom: usize) {
        let side = |n: usize| (n * zoom) as i64;
        if channels == 0 || image.len() != height * width * channels {
            return self.fill(place, (side(width), side(height)), FAINT);
        }
        for (i, pixel) in image.chunks_exact(channels).enumerate() {
            let colour = if channels == 3 { [pixel[0], pixel[1], pixel[2]] } else { [pixel[0]; 3] };
            let (x, y) = (place.0 + side(i % width), place.1 + side(i / width));
            self.fill((x, y), (zoom as i64, zoom as i64), colour);
        }
    }

    /// The canvas as a PNG file.
    pub fn png(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let size = (self.width as u32, self.height as u32);
        match PngEncoder::new(&mut out).write_image(&self.rgb, size.0, size.1, ExtendedColorType::Rgb8) {
            Ok(()) => out,
            // Writing to memory with checked sides does not fail; if it ever does, no file is better than half a one.
            Err(_) => Vec::new(),
        }
    }

    #[cfg(test)]
    pub fn pixel(&self, x: usize, y: usize) -> Colour {
        let at = (y * self.width + x) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }
}

/// A colour between white and `colour`, `share` 0…1.
pub(super) fn tint(colour: Colour, share: f64) -> Colour {
    colour.map(|c| (255.0 + (f64::from(c) - 255.0) * share.clamp(0.0, 1.0)).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_cover_what_they_should_and_stay_inside() {
        let mut canvas = Canvas::new(10, 10);
        canvas.line((2.0, 5.0), (8.0, 5.0), 2.0, [0, 0, 0]);
        assert_eq!((canvas.pixel(5, 4), canvas.pixel(5, 5), canvas.pixel(5, 8)), ([0; 3], [0; 3], [255; 3]));
        canvas.line((-50.0, -50.0), (99.0, 70.0), 3.0, [1, 2, 3]);
        canvas.fill((-5, 8), (100, 100), [9; 3]);
        assert_eq!(canvas.pixel(9, 9), [9; 3]);
    }

    #[test]
    fn png_reads_back() {
        let mut canvas = Canvas::new(3, 2);
        canvas.fill((1, 0), (1, 1), [255, 0, 0]);
        let read = image::load_from_memory(&canvas.png()).unwrap().to_rgb8();
        assert_eq!((read.dimensions(), read.get_pixel(1, 0).0, read.get_pixel(0, 1).0), ((3, 2), [255, 0, 0], [255; 3]));
    }

    #[test]
    fn tints() {
        assert_eq!((tint([0, 100, 255], 0.0), tint([0, 100, 255], 1.0)), (WHITE, [0, 100, 255]));
    }

    #[test]
    fn images_with_a_wrong_length_leave_a_field() {
        let mut canvas = Canvas::new(8, 8);
        canvas.image((0, 0), &[1, 2, 3], (2, 2, 1), 2);
        assert_eq!(canvas.pixel(3, 3), FAINT);
        canvas.image((0, 0), &[1, 2, 3, 4], (2, 2, 1), 2);
        assert_eq!(canvas.pixel(3, 3), [4; 3]);
    }
}
