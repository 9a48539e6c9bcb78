//! The ink to the network's frame: MNIST's own normalisation.
//!
//! "The original black and white images were size normalized to fit in a 20×20 pixel box while preserving their aspect ratio.
//! … the images were centered in a 28×28 image by computing the center of mass of the pixels" (LeCun, Cortes, Burges).

use crate::bounds::Bounds;
use crate::resize::area;

/// Longest side of the ink in MNIST's frame, out of 28.
const BOX: f64 = 20.0 / 28.0;

/// Longest side of the ink for a frame of `height × width`.
pub(crate) fn box_side((height, width): (usize, usize)) -> usize {
    ((height.min(width) as f64 * BOX).round() as usize).max(1)
}

/// Renders the part `bounds` of `mask` `[height, width]`, values 0…1, into a frame of
/// `(height, width)`: scaled to the box, centre of mass in the middle, 0…255.
pub(crate) fn fit(mask: &[f32], size: (usize, usize), bounds: Bounds, frame: (usize, usize)) -> Vec<u8> {
    let (w, h) = (bounds.width(), bounds.height());
    let scale = box_side(frame) as f64 / w.max(h) as f64;
    let side = |n: usize| ((n as f64 * scale).round() as usize).max(1);
    let (nw, nh) = (side(w), side(h));
    // A very thin shape is widened around its middle, not stretched to a whole pixel.
    let (span_w, span_h) = (nw as f64 / scale, nh as f64 / scale);
    let start = |from: usize, n: usize, span: f64| from as f64 + (n as f64 - span) / 2.0;
    let part = (start(bounds.left, w, span_w), start(bounds.top, h, span_h), span_w, span_h);
    let cells = area(mask, size, part, (nw, nh));
    let (fh, fw) = frame;
    let (cx, cy) = centre_of_mass(&cells, nw);
    let x = place(cx, nw, fw);
    let y = place(cy, nh, fh);
    let top = cells.iter().copied().fold(0.0f32, f32::max).max(1e-6);
    let mut out = vec![0u8; fw * fh];
    for (row, line) in cells.chunks_exact(nw).enumerate() {
        for (column, value) in line.iter().enumerate() {
            out[(y + row) * fw + x + column] = (value / top * 255.0).round() as u8;
        }
    }
    out
}

/// Mean column and row, weighted by value; the middle when there is nothing.
pub(crate) fn centre_of_mass(cells: &[f32], width: usize) -> (f64, f64) {
    let (mut sum, mut x, mut y) = (0.0f64, 0.0f64, 0.0f64);
    for (i, &value) in cells.iter().enumerate() {
        let value = f64::from(value);
        sum += value;
        x += value * (i % width) as f64;
        y += value * (i / width) as f64;
    }
    if sum > 0.0 { (x / sum, y / sum) } else { ((width as f64 - 1.0) / 2.0, ((cells.len() / width) as f64 - 1.0) / 2.0) }
}

/// First cell of a box of `n` cells in a frame of `frame`, so that `centre` comes to lie on cell `frame / 2` as in MNIST
/// (mean over its images: 14.0 of 28), without leaving the frame.
fn place(centre: f64, n: usize, frame: usize) -> usize {
    let start = (frame as f64 / 2.0 - centre).round().max(0.0) as usize;
    start.min(frame - n)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 100×60 L: a bar on the left, a foot at the bottom.
    fn letter() -> (Vec<f32>, (usize, usize)) {
        let ink = |x: usize, y: usize| x < 10 || y >= 90;
        ((0..100 * 60).map(|i| if ink(i % 60, i / 60) { 1.0 } else { 0.0 }).collect(), (60, 100))
    }

    #[test]
    fn twenty_pixels_and_centre_of_mass() {
        let (mask, size) = letter();
        let out = fit(&mask, size, Bounds::new(0, 0, 60, 100), (28, 28));
        let rows: Vec<usize> = (0..28).filter(|y| out[y * 28..][..28].iter().any(|&v| v > 0)).collect();
        let columns: Vec<usize> = (0..28).filter(|x| (0..28).any(|y| out[y * 28 + x] > 0)).collect();
        assert_eq!((rows.len(), columns.len()), (20, 12));
        assert_eq!(out.iter().max(), Some(&255));
        let cells: Vec<f32> = out.iter().map(|&v| f32::from(v)).collect();
        let (x, y) = centre_of_mass(&cells, 28);
        // Placed on whole pixels: at most half a pixel off.
        assert!((x - 14.0).abs() <= 0.5 && (y - 14.0).abs() <= 0.5, "{x} {y}");
    }

    #[test]
    fn a_hairline_stays_visible() {
        let mask = vec![1.0; 300];
        let out = fit(&mask, (1, 300), Bounds::new(0, 0, 1, 300), (28, 28));
        assert_eq!(out.iter().filter(|&&v| v == 255).count(), 20);
    }

    #[test]
    fn other_frames() {
        let (mask, size) = letter();
        assert_eq!(fit(&mask, size, Bounds::new(0, 0, 60, 100), (32, 40)).len(), 32 * 40);
        assert_eq!(fit(&mask, size, Bounds::new(0, 0, 60, 100), (1, 1)), [255]);
        assert_eq!((box_side((28, 28)), box_side((32, 32))), (20, 23));
    }
}
