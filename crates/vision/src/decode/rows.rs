//! Converts a decoder's rows to 8-bit gray or RGB and alpha, and shrinks a picture that is far larger than needed on the way.
//!
//! Memory holds one row of the file's samples at a time, and one to four bytes for each pixel that is kept.

use super::luma::{luma, luma16, narrow};

/// How the samples of a pixel lie in a row of bytes: gray, gray and alpha, RGB, or RGBA; and what is kept of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Samples of a pixel, 1 to 4.
    pub channels: usize,
    /// How two bytes make a sample; `None` where a sample is one byte.
    pub wide: Option<fn([u8; 2]) -> u16>,
    /// Values kept of a pixel: 1 for luminance, 3 for RGB.
    pub kept: usize,
}

impl Layout {
    /// Bytes of a pixel.
    pub fn bytes(self) -> usize {
        self.channels * if self.wide.is_some() { 2 } else { 1 }
    }

    pub fn has_alpha(self) -> bool {
        self.channels == 2 || self.channels == 4
    }

    /// Values and alpha of a row's pixels.
    pub fn read(self, row: &[u8], values: &mut Vec<u8>, alpha: &mut Vec<u8>) {
        values.clear();
        alpha.clear();
        let gray = self.kept == 1;
        let Some(wide) = self.wide else {
            match self.channels {
                1 if gray => values.extend_from_slice(row),
                1 => row.iter().for_each(|&g| values.extend([g; 3])),
                3 if gray => values.extend(row.as_chunks::<3>().0.iter().map(|&[r, g, b]| luma(r, g, b))),
                3 => values.extend_from_slice(row),
                2 => row.as_chunks::<2>().0.iter().for_each(|&[g, a]| {
                    values.extend_from_slice(&[g; 3][..self.kept]);
                    alpha.push(a);
                }),
                _ => row.as_chunks::<4>().0.iter().for_each(|&[r, g, b, a]| {
                    if gray {
                        values.push(luma(r, g, b))
                    } else {
                        values.extend([r, g, b])
                    }
                    alpha.push(a);
                }),
            }
            return;
        };
        for pixel in row.chunks_exact(self.bytes()) {
            let at = |i: usize| wide([pixel[2 * i], pixel[2 * i + 1]]);
            match self.channels {
                1 | 2 => values.extend_from_slice(&[narrow(at(0)); 3][..self.kept]),
                _ if gray => values.push(luma16(at(0), at(1), at(2))),
                _ => values.extend([at(0), at(1), at(2)].map(narrow)),
            }
            if self.has_alpha() {
                alpha.push(narrow(at(self.channels - 1)));
            }
        }
    }
}

/// A picture in gray or RGB, with alpha where it has any.
#[derive(Debug)]
pub(super) struct Planes {
    pub width: usize,
    pub height: usize,
    /// Values of a pixel: 1 for luminance, 3 for RGB.
    pub kept: usize,
    /// `[height, width, kept]`.
    pub values: Vec<u8>,
    /// Alpha `[height, width]`; `None` where all is opaque.
    pub alpha: Option<Vec<u8>>,
}

impl Planes {
    /// Each square of `factor × factor` pixels as one.
    pub fn shrunk(self, factor: usize) -> Self {
        if factor == 1 {
            return self;
        }
        let mut shrink = Shrink::new((self.width, self.height), factor, self.kept, self.alpha.is_some());
        for (y, row) in self.values.chunks_exact(self.width * self.kept).enumerate() {
            let alpha = self.alpha.as_deref().map(|alpha| &alpha[y * self.width..(y + 1) * self.width]);
            shrink.row(row, alpha.unwrap_or_default());
        }
        shrink.planes()
    }
}

/// Sums of one square of pixels.
#[derive(Clone, Copy, Default)]
struct Cell {
    pixels: u32,
    values: [u32; 3],
    alpha: u32,
    /// Of values times alpha.
    visible: [u32; 3],
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

    /// For rows of a picture of that (width, height), with `kept` values a pixel.
    pub fn new((width, height): (usize, usize), factor: usize, kept: usize, alpha: bool) -> Self {
        let factor = factor.clamp(1, Self::MOST);
        let (w, h) = (width.div_ceil(factor), height.div_ceil(factor));
        let planes = Planes { width: w, height: h, kept, values: Vec::new(), alpha: alpha.then(Vec::new) };
        Self { factor, width, height, alpha, cells: vec![Cell::default(); w], rows: 0, planes }
    }

    /// Takes the next row; `alpha` is empty where the picture has none.
    pub fn row(&mut self, values: &[u8], alpha: &[u8]) {
        let kept = self.planes.kept;
        if self.rows == 0 {
            let pixels = self.planes.width * self.planes.height;
            self.planes.values.reserve_exact(pixels * kept);
            self.planes.alpha.iter_mut().for_each(|plane| plane.reserve_exact(pixels));
        }
        self.rows += 1;
        if self.factor == 1 {
            self.planes.values.extend_from_slice(values);
            if let Some(plane) = &mut self.planes.alpha {
                plane.extend_from_slice(alpha);
            }
            return;
        }
        for (cell, square) in self.cells.iter_mut().zip(values.chunks(self.factor * kept)) {
            cell.pixels += (square.len() / kept) as u32;
            for (c, sum) in cell.values[..kept].iter_mut().enumerate() {
                *sum += square.iter().skip(c).step_by(kept).map(|&v| u32::from(v)).sum::<u32>();
            }
        }
        if self.alpha {
            let squares = values.chunks(self.factor * kept).zip(alpha.chunks(self.factor));
            for (cell, (square, alpha)) in self.cells.iter_mut().zip(squares) {
                cell.alpha += alpha.iter().map(|&a| u32::from(a)).sum::<u32>();
                for (c, sum) in cell.visible[..kept].iter_mut().enumerate() {
                    let seen = square.iter().skip(c).step_by(kept).zip(alpha);
                    *sum += seen.map(|(&v, &a)| u32::from(v) * u32::from(a)).sum::<u32>();
                }
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
            let (sums, n) = if cell.alpha > 0 { (&cell.visible, cell.alpha) } else { (&cell.values, cell.pixels) };
            self.planes.values.extend(sums[..self.planes.kept].iter().map(|&sum| mean(sum, n)));
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

    fn read(layout: Layout, row: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut values, mut alpha) = (vec![9], vec![9]);
        layout.read(row, &mut values, &mut alpha);
        (values, alpha)
    }

    #[test]
    fn every_layout_of_samples() {
        let narrow = |channels| Layout { channels, wide: None, kept: 1 };
        let wide = |channels| Layout { channels, wide: Some(u16::from_be_bytes), kept: 1 };
        let color = |layout| Layout { kept: 3, ..layout };
        assert_eq!(read(narrow(1), &[1, 2]), (vec![1, 2], vec![]));
        assert_eq!(read(narrow(2), &[1, 2, 3, 4]), (vec![1, 3], vec![2, 4]));
        assert_eq!(read(narrow(3), &[255, 0, 0]), (vec![76], vec![]));
        assert_eq!(read(narrow(4), &[0, 255, 0, 7]), (vec![150], vec![7]));
        // 32768 is 128, 65535 is 255, rounded.
        assert_eq!(read(wide(1), &[0x80, 0, 0xff, 0xff]), (vec![128, 255], vec![]));
        assert_eq!(read(wide(2), &[0x80, 0, 0xff, 0xff]), (vec![128], vec![255]));
        assert_eq!(read(wide(4), &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x80, 0]), (vec![255], vec![128]));
        assert_eq!(read(color(narrow(1)), &[1, 2]), (vec![1, 1, 1, 2, 2, 2], vec![]));
        assert_eq!(read(color(narrow(2)), &[1, 2]), (vec![1, 1, 1], vec![2]));
        assert_eq!(read(color(narrow(3)), &[1, 2, 3]), (vec![1, 2, 3], vec![]));
        assert_eq!(read(color(narrow(4)), &[1, 2, 3, 4]), (vec![1, 2, 3], vec![4]));
        assert_eq!(read(color(wide(2)), &[0x80, 0, 0xff, 0xff]), (vec![128; 3], vec![255]));
        assert_eq!(read(color(wide(3)), &[0xff, 0xff, 0x80, 0, 0, 0]), (vec![255, 128, 0], vec![]));
    }

    #[test]
    fn squares_become_their_mean_also_at_the_edges() {
        let mut shrink = Shrink::new((3, 3), 2, 1, false);
        for row in [[0, 10, 40], [20, 30, 60], [7, 9, 200]] {
            shrink.row(&row, &[]);
        }
        let planes = shrink.planes();
        assert_eq!((planes.width, planes.height, planes.values), (2, 2, vec![15, 50, 8, 200]));
        assert!(planes.alpha.is_none());
    }

    #[test]
    fn hidden_colors_do_not_shine_through() {
        let mut shrink = Shrink::new((4, 1), 2, 1, true);
        // Left: an opaque black pixel beside a transparent white one. Right: all transparent.
        shrink.row(&[0, 255, 100, 200], &[255, 0, 0, 0]);
        let planes = shrink.planes();
        assert_eq!((planes.values, planes.alpha), (vec![0, 150], Some(vec![128, 0])));
    }

    #[test]
    fn colors_shrink_each_on_its_own() {
        let mut shrink = Shrink::new((2, 1), 2, 3, true);
        shrink.row(&[0, 10, 20, 40, 30, 20], &[255, 255]);
        let planes = shrink.planes();
        assert_eq!((planes.values, planes.alpha), (vec![20, 20, 20], Some(vec![255])));
        let mut shrink = Shrink::new((2, 1), 2, 3, true);
        shrink.row(&[0, 10, 20, 40, 30, 21], &[0, 255]);
        assert_eq!(shrink.planes().values, [40, 30, 21]);
    }
}
