//! What happens to ink: thicker and thinner strokes, gaps, dirt, blur, noise.

use super::Augment;
use super::warp::Scratch;
use crate::noise::Noise;

/// Moves the edges of strokes outwards by `by` pixels, inwards when it is below 0: towards the largest, or smallest, of the four
/// neighbours.
pub(super) fn restroke(scratch: &mut Scratch, by: f32) {
    let share = by.abs().min(1.0);
    if share == 0.0 {
        return;
    }
    let stride = scratch.stride();
    let pick: fn(f32, f32) -> f32 = if by > 0.0 { f32::max } else { f32::min };
    for row in scratch.rows() {
        for at in row * stride + 1..(row + 1) * stride - 1 {
            let picture = &scratch.picture;
            let around = pick(pick(picture[at - 1], picture[at + 1]), pick(picture[at - stride], picture[at + stride]));
            scratch.spare[at] = picture[at] + share * (pick(around, picture[at]) - picture[at]);
        }
    }
    std::mem::swap(&mut scratch.picture, &mut scratch.spare);
}

/// Gaps, dirt, blur, contrast and noise, in this order.
pub(super) fn spoil(amounts: &Augment, (height, width): (usize, usize), noise: &mut Noise, picture: &mut [f32]) {
    if noise.chance(amounts.broken) {
        for _ in 0..1 + noise.bits() % 2 {
            gap((height, width), noise, picture);
        }
    }
    if noise.chance(amounts.dirt) {
        for _ in 0..1 + noise.bits() % 3 {
            dirt((height, width), noise, picture);
        }
    }
    let blur = noise.uniform(0.0, amounts.blur);
    if blur > 0.0 {
        soften(blur, width, picture);
    }
    let gain = 1.0 + noise.uniform(-amounts.contrast, amounts.contrast);
    let grain = noise.uniform(0.0, amounts.noise);
    if gain != 1.0 || grain > 0.0 {
        for cells in picture.chunks_mut(4) {
            let bits = noise.bits();
            for (lane, cell) in cells.iter_mut().enumerate() {
                // The difference of two bytes: a triangle of variance (256² − 1) / 6.
                let pair = (bits >> (16 * lane)) as u16;
                let draw = (f32::from(pair & 0xFF) - f32::from(pair >> 8)) * (1.0 / 104.5);
                *cell = (*cell * gain + grain * draw).clamp(0.0, 255.0);
            }
        }
    }
}

/// Takes the ink from a short stroke somewhere on it.
fn gap((height, width): (usize, usize), noise: &mut Noise, picture: &mut [f32]) {
    let inked = |at: &usize| picture[*at] > 128.0;
    let Some(at) = (0..8).map(|_| (noise.bits() % picture.len() as u64) as usize).find(inked) else { return };
    let centre = ((at % width) as f32, (at / width) as f32);
    let (sin, cos) = noise.uniform(0.0, std::f32::consts::PI).sin_cos();
    let reach = noise.uniform(1.5, 3.5);
    let radius = noise.uniform(0.4, 0.9);
    let ends = [(centre.0 - reach * cos, centre.1 - reach * sin), (centre.0 + reach * cos, centre.1 + reach * sin)];
    capsule(ends, radius, (height, width), |cover, cell| *cell *= 1.0 - cover, picture);
}

/// A speck anywhere, or the end of a neighbour's stroke at the border.
fn dirt((height, width): (usize, usize), noise: &mut Noise, picture: &mut [f32]) {
    let (w, h) = (width as f32, height as f32);
    let (ends, radius) = if noise.chance(0.4) {
        let at = (noise.uniform(1.0, w - 2.0), noise.uniform(1.0, h - 2.0));
        ([at, at], noise.uniform(0.3, 0.9))
    } else {
        let from = match noise.bits() % 4 {
            0 => (noise.uniform(-1.0, 1.5), noise.uniform(0.0, h)),
            1 => (w - noise.uniform(-1.0, 1.5), noise.uniform(0.0, h)),
            2 => (noise.uniform(0.0, w), noise.uniform(-1.0, 1.5)),
            _ => (noise.uniform(0.0, w), h - noise.uniform(-1.0, 1.5)),
        };
        // Along the border rather than into the picture.
        let (dx, dy) = (noise.normal(3.0), noise.normal(3.0));
        let side = from.0 < 2.0 || from.0 > w - 2.0;
        let to = if side { (from.0 + 0.3 * dx, from.1 + dy) } else { (from.0 + dx, from.1 + 0.3 * dy) };
        ([from, to], noise.uniform(0.5, 1.4))
    };
    let light = noise.uniform(120.0, 255.0);
    capsule(ends, radius, (height, width), |cover, cell| *cell = cell.max(cover * light), picture);
}

/// Calls `paint` with the cover, 0 to 1, of each pixel of a round stroke between two points.
fn capsule(
    [from, to]: [(f32, f32); 2],
    radius: f32,
    (height, width): (usize, usize),
    paint: impl Fn(f32, &mut f32),
    picture: &mut [f32],
) {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let inverse = 1.0 / (dx * dx + dy * dy).max(1e-6);
    let reach = radius + 1.0;
    let range = |a: f32, b: f32, n: usize| {
        let low = (a.min(b) - reach).floor().max(0.0) as usize;
        low.min(n)..((a.max(b) + reach).ceil().max(0.0) as usize + 1).min(n)
    };
    for row in range(from.1, to.1, height) {
        for column in range(from.0, to.0, width) {
            let (x, y) = (column as f32 - from.0, row as f32 - from.1);
            let along = ((x * dx + y * dy) * inverse).clamp(0.0, 1.0);
            let (ex, ey) = (x - along * dx, y - along * dy);
            let cover = (radius + 0.5 - (ex * ex + ey * ey).sqrt()).clamp(0.0, 1.0);
            paint(cover, &mut picture[row * width + column]);
        }
    }
}

/// Mixes in `share` of a 1-2-1 blur along each axis, in place; beyond the border is black.
fn soften(share: f32, width: usize, picture: &mut [f32]) {
    let height = picture.len() / width;
    let mut line = |first: usize, step: usize, count: usize| {
        let mut before = 0.0;
        for at in 0..count {
            let here = picture[first + at * step];
            let after = if at + 1 < count { picture[first + (at + 1) * step] } else { 0.0 };
            picture[first + at * step] = here + share * (0.25 * (before + after) - 0.5 * here);
            before = here;
        }
    };
    (0..height).for_each(|row| line(row * width, 1, width));
    (0..width).for_each(|column| line(column, width, height));
}
