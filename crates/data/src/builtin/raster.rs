//! Ink: strokes of a round pen drawn anti-aliased, then sized and centred as the makers of MNIST did.
//!
//! MNIST (LeCun, Cortes & Burges): the ink's bounding box is scaled to fit 20 x 20 pixels keeping its aspect, with grey edges, and
//! put into 28 x 28 so that the centre of mass lies at the middle.

use super::sketch::Point;

/// Side of an image in pixels.
pub(super) const SIDE: usize = 28;
/// Bytes in one image: 28 x 28.
pub const PIXELS: usize = SIDE * SIDE;
/// Side of the box that the ink fills.
pub(super) const BOX: usize = 20;
/// Sub-pixels to a pixel, each way.
const FINE: usize = 3;
/// Side of the box in sub-pixels.
const GRID: usize = BOX * FINE;

/// A place on a stroke and the radius of the pen there.
#[derive(Clone, Copy)]
pub(super) struct Dab {
    pub(super) at: Point,
    pub(super) radius: f32,
}

/// Draws the strokes into `[28, 28]` pixels, white on black. No stroke may be empty.
pub(super) fn draw(strokes: &[Vec<Dab>], image: &mut [u8; SIDE * SIDE]) {
    let mut ink = [0f32; GRID * GRID];
    let (left, top, width, height) = bounds(strokes);
    let scale = GRID as f32 / width.max(height).max(1e-3);
    // The shorter side is centred on whole pixels, so that its edges too start with the ink.
    let margin = |side: f32| ((BOX as f32 - side * scale / FINE as f32) * 0.5).floor().max(0.0) * FINE as f32;
    let (dx, dy) = (margin(width) - left * scale, margin(height) - top * scale);
    let place = |dab: &Dab| Dab { at: Point { x: dab.at.x * scale + dx, y: dab.at.y * scale + dy }, radius: dab.radius * scale };
    for stroke in strokes {
        for pair in stroke.windows(2) {
            capsule(place(&pair[0]), place(&pair[1]), &mut ink);
        }
    }
    centre(&shrink(&ink), image);
}

/// Left, top, width and height of all the ink.
fn bounds(strokes: &[Vec<Dab>]) -> (f32, f32, f32, f32) {
    let (mut left, mut top, mut right, mut bottom) = (f32::MAX, f32::MAX, f32::MIN, f32::MIN);
    for dab in strokes.iter().flatten() {
        left = left.min(dab.at.x - dab.radius);
        top = top.min(dab.at.y - dab.radius);
        right = right.max(dab.at.x + dab.radius);
        bottom = bottom.max(dab.at.y + dab.radius);
    }
    (left, top, right - left, bottom - top)
}

/// Adds the ink between two dabs: a capsule whose radius goes evenly from one to the other. Overlaps do not add up.
fn capsule(from: Dab, to: Dab, ink: &mut [f32; GRID * GRID]) {
    let (ax, ay) = (from.at.x, from.at.y);
    let (dx, dy) = (to.at.x - ax, to.at.y - ay);
    let inverse = 1.0 / (dx * dx + dy * dy).max(1e-9);
    let reach = from.radius.max(to.radius) + 1.0;
    let low = |a: f32, b: f32| ((a.min(b) - reach).floor().max(0.0) as usize).min(GRID);
    let high = |a: f32, b: f32| ((a.max(b) + reach).ceil().max(0.0) as usize).min(GRID);
    let (x0, x1) = (low(ax, to.at.x), high(ax, to.at.x));
    for row in low(ay, to.at.y)..high(ay, to.at.y) {
        let y = row as f32 + 0.5 - ay;
        let start = row * GRID;
        for (offset, cell) in ink[start + x0..start + x1.max(x0)].iter_mut().enumerate() {
            let x = (x0 + offset) as f32 + 0.5 - ax;
            let along = ((x * dx + y * dy) * inverse).clamp(0.0, 1.0);
            let (ex, ey) = (x - along * dx, y - along * dy);
            let radius = from.radius + (to.radius - from.radius) * along;
            let cover = (radius + 0.5 - (ex * ex + ey * ey).sqrt()).clamp(0.0, 1.0);
            *cell = cell.max(cover);
        }
    }
}

/// Averages sub-pixels into the 20 x 20 box, values 0 to 255.
fn shrink(ink: &[f32; GRID * GRID]) -> [u8; BOX * BOX] {
    let mut small = [0u8; BOX * BOX];
    for (index, pixel) in small.iter_mut().enumerate() {
        let (row, column) = (index / BOX * FINE, index % BOX * FINE);
        let sum: f32 = (0..FINE).map(|y| ink[(row + y) * GRID + column..][..FINE].iter().sum::<f32>()).sum();
        *pixel = (sum * (255.0 / (FINE * FINE) as f32) + 0.5) as u8;
    }
    small
}

/// Moves the box by whole pixels until its centre of mass lies within half a pixel of pixel (14, 14), as in MNIST.
fn centre(small: &[u8; BOX * BOX], image: &mut [u8; SIDE * SIDE]) {
    let (mut mass, mut x, mut y) = (0u32, 0u32, 0u32);
    for (index, &value) in small.iter().enumerate() {
        let value = u32::from(value);
        mass += value;
        x += value * (index % BOX) as u32;
        y += value * (index / BOX) as u32;
    }
    let shift = |moment: u32| {
        let middle = moment as f32 / mass.max(1) as f32;
        // Never out of the image, though a mass far to one side would ask for it.
        ((SIDE / 2) as f32 - middle).round().clamp(0.0, (SIDE - BOX) as f32) as usize
    };
    let (right, down) = (shift(x), shift(y));
    image.fill(0);
    for (row, line) in small.chunks_exact(BOX).enumerate() {
        image[(row + down) * SIDE + right..][..BOX].copy_from_slice(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upright_bar_fills_the_height_and_keeps_its_width() {
        let dab = |y| Dab { at: Point { x: 5.0, y }, radius: 1.0 };
        let mut image = [7u8; SIDE * SIDE];
        draw(&[vec![dab(1.0), dab(9.0)]], &mut image);
        // 10 high and 2 wide: scaled by 2 it is 20 high and 4 wide.
        let middle = &image[14 * SIDE..15 * SIDE];
        assert_eq!(middle.iter().map(|&v| u32::from(v)).sum::<u32>(), 4 * 255, "{middle:?}");
        let rows = image.chunks_exact(SIDE).filter(|row| row.iter().any(|&v| v > 0)).count();
        assert_eq!(rows, BOX);
    }

    #[test]
    fn a_mass_far_to_one_side_stays_in_the_image() {
        let dab = |x, radius| Dab { at: Point { x, y: 0.0 }, radius };
        let mut image = [0u8; SIDE * SIDE];
        draw(&[vec![dab(0.0, 3.0), dab(0.1, 3.0)], vec![dab(0.0, 0.02), dab(17.0, 0.02)]], &mut image);
        assert!(image.contains(&255));
    }
}
