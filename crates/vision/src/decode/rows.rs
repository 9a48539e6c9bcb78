//! Converts a decoder's rows to 8-bit planes of grey and alpha, and shrinks a picture that is far larger than needed on the way.
//!
//! Memory holds one row of the file's samples at a time, and one or two bytes for each pixel that is kept.

use super::luma::{luma, luma16, narrow};

/// How the samples of a pixel lie in a row of bytes: grey, grey and alpha, RGB, or RGBA.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Samples of a pixel, 1 to 4.
    pub channels: usize,
    /// How two bytes make a sample; `None` where a sample is one byte.
    pub wide: Option<fn([u8; 2]) -> u16>,
}

impl Layout {
    /// Bytes of a pixel.
    pub fn bytes(self) -> usize {
        self.channels * if self.wide.is_some() { 2 } else { 1 }
    }

    pub fn has_alpha(self) -> bool {
        self.channels == 2 || self.channels == 4
    }

    /// Luminance and alpha of a row's pixels.
    pub fn grey(self, row: &[u8], grey: &mut Vec<u8>, alpha: &mut Vec<u8>) {
        grey.clear();
        alpha.clear();
        let Some(wide) = self.wide else {
            match self.channels {
                1 => grey.extend_from_slice(row),
                3 => grey.extend(row.as_chunks::<3>().0.iter().map(|&[r, g, b]| luma(r, g, b))),
                2 => row.as_chunks::<2>().0.iter().for_each(|&[g, a]| {
                    grey.push(g);
                    alpha.push(a);
                }),
                _ => row.as_chunks::<4>().0.iter().for_each(|&[r, g, b, a]| {
                    grey.push(luma(r, g, b));
                    alpha.push(a);
                }),
            }
            return;
        };
        for pixel in row.chunks_exact(self.bytes()) {
            let at = |i: usize| wide([pixel[2 * i], pixel[2 * i + 1]]);
            grey.push(if self.channels < 3 { narrow(at(0)) } else { luma16(at(0), at(1), at(2)) });
            if self.has_alpha() {
                alpha.push(narrow(at(self.channels - 1)));
            }
        }
    }
}

/// A picture in grey, with alpha where it has any.
#[derive(Debug)]
pub(super) struct Planes {
    pub width: usize,
    pub height: usize,
    /// Luminance `[height, width]`.
    pub grey: Vec<u8>,
    /// Alpha `[height, width]`; `None` where all is opaque.
    pub alpha: Option<Vec<u8>>,
}

impl Planes {
    /// Each square of `factor × factor` pixels as one.
    pub fn shrunk(self, factor: usize) -> Self {
        if factor == 1 {
            return self;
        }
        let mut shrink = Shrink::new((self.width, self.height), factor, self.alpha.is_some());
        for (y, grey) in self.grey.chunks_exact(self.width).enumerate() {
            let alpha = self.alpha.as_deref().map(|alpha| &alpha[y * self.width..(y + 1) * self.width]);
            shrink.row(grey, alpha.unwrap_or_default());
        }
        shrink.planes()
    }
}

/// Sums of one square of pixels.
#[derive(Clone, Copy, Default)]
struct Cell {
    pixels: u32,
    grey: u32,
    alpha: u32,
    /// Of grey times alpha.
    visible: u32,
}

/// Takes rows from top to bottom and keeps the mean of each square of pixels.
pub(super) struct Shrink {
    factor: usize,
    width: usize,
    height: usize,
    alpha: bool,
    /// One for each square of the row of squares that is being read.
    cells: Vec<Cell>,
    rows: usize,
    planes: Planes,
}

impl Shrink {
    /// Largest factor: sums of 256 × 256 pixels fit into 32 bits.
    const MOST: usize = 256;

    /// For rows of a picture of that (width, height).
    pub fn new((width, height): (usize, usize), factor: usize, alpha: bool) -> Self {
        let factor = factor.clamp(1, Self::MOST);
        let (w, h) = (width.div_ceil(factor), height.div_ceil(factor));
        let planes = Planes { width: w, height: h, grey: Vec::new(), alpha: alpha.then(Vec::new) };
        Self { factor, width, height, alpha, cells: vec![Cell::default(); w], rows: 0, planes }
    }

    /// Takes the next row; `alpha` is empty where the picture has none.
    pub fn row(&mut self, grey: &[u8], alpha: &[u8]) {
        if self.rows == 0 {
            let pixels = self.planes.width * self.planes.height;
            self.planes.grey.reserve_exact(pixels);
            self.planes.alpha.iter_mut().for_each(|plane| plane.reserve_exact(pixels));
        }
        self.rows += 1;
        if self.factor == 1 {
            self.planes.grey.extend_from_slice(grey);
            if let Some(plane) = &mut self.planes.alpha {
                plane.extend_from_slice(alpha);
            }
            return;
        }
        for (cell, pixels) in self.cells.iter_mut().zip(grey.chunks(self.factor)) {
            cell.pixels += pixels.len() as u32;
            cell.grey += pixels.iter().map(|&g| u32::from(g)).sum::<u32>();
        }
        if self.alpha {
            let squares = grey.chunks(self.factor).zip(alpha.chunks(self.factor));
            for (cell, (grey, alpha)) in self.cells.iter_mut().zip(squares) {
                cell.alpha += alpha.iter().map(|&a| u32::from(a)).sum::<u32>();
                cell.visible += grey.iter().zip(alpha).map(|(&g, &a)| u32::from(g) * u32::from(a)).sum::<u32>();
            }
        }
        if self.rows.is_multiple_of(self.factor) || self.rows == self.height {
            self.flush();
        }
    }

    /// Writes the means of the squares that are complete.
    fn flush(&mut self) {
        let mean = |sum: u32, n: u32| ((sum + n / 2) / n.max(1)) as u8;
        for cell in &self.cells {
            // Weighted by alpha: a hidden pixel adds nothing to the color.
            let grey = if cell.alpha > 0 { mean(cell.visible, cell.alpha) } else { mean(cell.grey, cell.pixels) };
            self.planes.grey.push(grey);
            if let Some(plane) = &mut self.planes.alpha {
                plane.push(mean(cell.alpha, cell.pixels));
            }
        }
        self.cells.fill(Cell::default());
    }

    /// Pixels of a row, and how many rows were taken.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.rows)
    }

    /// The shrunk picture.
    pub fn planes(self) -> Planes {
        self.planes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey_of(layout: Layout, row: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut grey, mut alpha) = (vec![9], vec![9]);
        layout.grey(row, &mut grey, &mut alpha);
        (grey, alpha)
    }

    #[test]
    fn every_layout_of_samples() {
        let narrow = |channels| Layout { channels, wide: None };
        let wide = |channels| Layout { channels, wide: Some(u16::from_be_bytes) };
        assert_eq!(grey_of(narrow(1), &[1, 2]), (vec![1, 2], vec![]));
        assert_eq!(grey_of(narrow(2), &[1, 2, 3, 4]), (vec![1, 3], vec![2, 4]));
        assert_eq!(grey_of(narrow(3), &[255, 0, 0]), (vec![76], vec![]));
        assert_eq!(grey_of(narrow(4), &[0, 255, 0, 7]), (vec![150], vec![7]));
        // 32768 is 128, 65535 is 255, rounded.
        assert_eq!(grey_of(wide(1), &[0x80, 0, 0xff, 0xff]), (vec![128, 255], vec![]));
        assert_eq!(grey_of(wide(2), &[0x80, 0, 0xff, 0xff]), (vec![128], vec![255]));
        assert_eq!(grey_of(wide(4), &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0]), (vec![255], vec![128]));
    }

    #[test]
    fn squares_become_their_mean_also_at_the_edges() {
        let mut shrink = Shrink::new((3, 3), 2, false);
        for row in [[0, 10, 40], [20, 30, 60], [7, 9, 200]] {
            shrink.row(&row, &[]);
        }
        let planes = shrink.planes();
        assert_eq!((planes.width, planes.height, planes.grey), (2, 2, vec![15, 50, 8, 200]));
        assert!(planes.alpha.is_none());
    }

    #[test]
    fn hidden_colors_do_not_shine_through() {
        let mut shrink = Shrink::new((4, 1), 2, true);
        // Left: an opaque black pixel beside a transparent white one. Right: all transparent.
        shrink.row(&[0, 255, 100, 200], &[255, 0, 0, 0]);
        let planes = shrink.planes();
        assert_eq!((planes.grey, planes.alpha), (vec![0, 150], Some(vec![128, 0])));
    }
}
