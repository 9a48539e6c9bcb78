//! Moving, turning, slanting and bending a picture by bilinear sampling.

use super::Augment;
use crate::noise::Noise;
use std::cell::RefCell;

/// Terms of the smooth displacement, for each direction.
const TERMS: usize = 3;

/// A picture with a black border of one pixel, and room to work in: one a thread, kept from call to call.
pub(super) struct Scratch {
    height: usize,
    width: usize,
    pub(super) picture: Vec<f32>,
    pub(super) spare: Vec<f32>,
    waves: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> =
        const { RefCell::new(Scratch { height: 0, width: 0, picture: Vec::new(), spare: Vec::new(), waves: Vec::new() }) };
}

impl Scratch {
    /// Lends this thread's scratch for pictures of `size` = (height, width).
    pub(super) fn with<T>((height, width): (usize, usize), work: impl FnOnce(&mut Scratch) -> T) -> T {
        SCRATCH.with_borrow_mut(|scratch| {
            if (scratch.height, scratch.width) != (height, width) {
                (scratch.height, scratch.width) = (height, width);
                let padded = (height + 2) * (width + 2);
                scratch.picture = vec![0.0; padded];
                scratch.spare = vec![0.0; padded];
                scratch.waves = vec![0.0; 2 * TERMS * (height + width)];
            }
            work(scratch)
        })
    }

    /// Columns of a row, borders included.
    pub(super) fn stride(&self) -> usize {
        self.width + 2
    }

    /// Rows without borders.
    pub(super) fn rows(&self) -> std::ops::Range<usize> {
        1..self.height + 1
    }

    pub(super) fn load(&mut self, image: &[u8]) {
        let stride = self.stride();
        let inner = self.picture[stride..].chunks_exact_mut(stride);
        for (line, row) in image.chunks_exact(self.width).zip(inner) {
            line.iter().zip(&mut row[1..]).for_each(|(&v, cell)| *cell = f32::from(v));
        }
    }
}

/// Draws the changes and samples the picture.
pub(super) fn warp(amounts: &Augment, scratch: &mut Scratch, noise: &mut Noise, out: &mut [f32]) {
    let (height, width) = (scratch.height, scratch.width);
    let mut symmetric = |most: f32| noise.uniform(-most, most);
    let (sin, cos) = symmetric(amounts.rotation).to_radians().sin_cos();
    let slant = symmetric(amounts.shear);
    // From the picture that comes out to the one that goes in, so larger means closer together.
    let size = (-symmetric((1.0 + amounts.scale).ln())).exp();
    let aspect = (0.5 * symmetric((1.0 + amounts.stretch).ln())).exp();
    let (right, down) = (symmetric(amounts.translation), symmetric(amounts.translation));
    let (across, along) = (size / aspect, size * aspect);
    let [xx, xy, yx, yy] = [cos * across, (slant * cos - sin) * along, sin * across, (slant * sin + cos) * along];
    let plain = amounts.elastic == 0.0 && [xx, xy, yx, yy, right, down] == [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
    let bends = amounts.elastic > 0.0;
    if bends {
        draw_waves(amounts.elastic, scratch, noise);
    }
    let (mid_x, mid_y) = (0.5 * (width as f32 - 1.0), 0.5 * (height as f32 - 1.0));
    let stride = scratch.stride();
    let (x_limit, y_limit) = (width as f32, height as f32);
    for (row, line) in out.chunks_exact_mut(width).enumerate() {
        if plain {
            line.copy_from_slice(&scratch.picture[(row + 1) * stride + 1..][..width]);
            continue;
        }
        let dy = row as f32 - mid_y;
        for (column, cell) in line.iter_mut().enumerate() {
            let dx = column as f32 - mid_x;
            let mut x = xx * dx + xy * dy + mid_x - right;
            let mut y = yx * dx + yy * dy + mid_y - down;
            if bends {
                let (by_x, by_y) = displacement(&scratch.waves, (height, width), (row, column));
                x += by_x;
                y += by_y;
            }
            // One pixel outside is the black border.
            let x = x.clamp(-1.0, x_limit) + 1.0;
            let y = y.clamp(-1.0, y_limit) + 1.0;
            let (left, top) = ((x as usize).min(width), (y as usize).min(height));
            let (fx, fy) = (x - left as f32, y - top as f32);
            let at = top * stride + left;
            let (upper, lower) = (&scratch.picture[at..at + 2], &scratch.picture[at + stride..at + stride + 2]);
            let above = upper[0] + fx * (upper[1] - upper[0]);
            let below = lower[0] + fx * (lower[1] - lower[0]);
            *cell = above + fy * (below - above);
        }
    }
}

/// The displacement is a sum of products of waves along each axis, which costs two tables instead of a sine a pixel:
/// `[2, TERMS, width]` with the amplitude, then `[2, TERMS, height]`.
fn draw_waves(amount: f32, scratch: &mut Scratch, noise: &mut Noise) {
    let (height, width) = (scratch.height, scratch.width);
    let (columns, rows) = scratch.waves.split_at_mut(2 * TERMS * width);
    for (columns, rows) in columns.chunks_exact_mut(width).zip(rows.chunks_exact_mut(height)) {
        // A product of two waves has a mean square of 1/4.
        let size = noise.normal(amount * 2.0 / (TERMS as f32).sqrt());
        wave(size, columns, noise);
        wave(1.0, rows, noise);
    }
}

fn wave(size: f32, values: &mut [f32], noise: &mut Noise) {
    let turns = noise.uniform(0.3, 1.7) * std::f32::consts::TAU / values.len() as f32;
    let phase = noise.uniform(0.0, std::f32::consts::TAU);
    values.iter_mut().enumerate().for_each(|(at, value)| *value = size * (turns * at as f32 + phase).sin());
}

#[inline]
fn displacement(waves: &[f32], (height, width): (usize, usize), (row, column): (usize, usize)) -> (f32, f32) {
    let rows = 2 * TERMS * width;
    let term = |i: usize| waves[i * width + column] * waves[rows + i * height + row];
    let sum = |first: usize| (first..first + TERMS).map(term).sum();
    (sum(0), sum(TERMS))
}
