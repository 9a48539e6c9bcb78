//! The grey picture at the size at which ink is looked for.

use crate::bounds::{Bounds, Rect};
use crate::picture::Picture;
use crate::resize::area;

/// Longest side below which a picture is interpolated up, so that edges keep their place between pixels.
const SMALLEST: usize = 160;

/// Values `[height, width]` and where they lie in the picture.
pub(crate) struct Plane {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
    /// What part of the picture this is.
    pub from: Rect,
}

impl Plane {
    /// Part of a picture, its longest side brought down to `largest`, or up to [`SMALLEST`]. `from` must lie inside the picture
    /// and not be empty.
    pub fn new(picture: &Picture, from: Rect, largest: usize) -> Self {
        let longest = from.width.max(from.height);
        if longest < SMALLEST {
            return Self::enlarged(picture, from, SMALLEST.div_ceil(longest));
        }
        let scale = (longest as f64 / largest as f64).max(1.0);
        let side = |n: usize| ((n as f64 / scale).round() as usize).max(1);
        let (width, height) = (side(from.width), side(from.height));
        // Rows first, and only then columns: most of a large photo is added up in plain loops.
        let step = from.height as f64 / height as f64;
        let mut values = Vec::with_capacity(width * height);
        let mut sums = vec![0.0f32; from.width];
        for row in 0..height {
            let (top, bottom) = (row as f64 * step, (row + 1) as f64 * step);
            sums.fill(0.0);
            for y in top as usize..(bottom.ceil() as usize).min(from.height) {
                let share = (bottom.min(y as f64 + 1.0) - top.max(y as f64)) as f32;
                let start = (from.y + y) * picture.width + from.x;
                let line = &picture.grey[start..start + from.width];
                sums.iter_mut().zip(line).for_each(|(sum, &g)| *sum += share * f32::from(g));
            }
            let scale = 1.0 / step as f32;
            sums.iter_mut().for_each(|sum| *sum *= scale);
            values.extend(area(&sums, (from.width, 1), (0.0, 0.0, from.width as f64, 1.0), (width, 1)));
        }
        Self { width, height, values, from }
    }

    fn enlarged(picture: &Picture, from: Rect, factor: usize) -> Self {
        let (width, height) = (from.width * factor, from.height * factor);
        let at = |x: usize, y: usize| f32::from(picture.grey[(from.y + y) * picture.width + from.x + x]);
        // Position between two pixels: the first, the second, the share of the second.
        let between = |i: usize, n: usize| {
            let place = ((i as f32 + 0.5) / factor as f32 - 0.5).clamp(0.0, n as f32 - 1.0);
            (place as usize, (place as usize + 1).min(n - 1), place.fract())
        };
        let columns: Vec<_> = (0..width).map(|x| between(x, from.width)).collect();
        let mut values = Vec::with_capacity(width * height);
        for y in 0..height {
            let (top, bottom, v) = between(y, from.height);
            values.extend(columns.iter().map(|&(left, right, h)| {
                let upper = at(left, top) * (1.0 - h) + at(right, top) * h;
                let lower = at(left, bottom) * (1.0 - h) + at(right, bottom) * h;
                upper * (1.0 - v) + lower * v
            }));
        }
        Self { width, height, values, from }
    }

    /// The outermost ring, about a fortieth of the shorter side wide.
    pub fn border(&self) -> Vec<f32> {
        let ring = (self.width.min(self.height) / 40).max(1);
        let inside = |i: usize, n: usize| i >= ring && i + ring < n;
        let cells = self.values.iter().enumerate();
        cells
            .filter(|(i, _)| !(inside(i % self.width, self.width) && inside(i / self.width, self.height)))
            .map(|(_, &v)| v)
            .collect()
    }

    /// Three fifths of the width and of the height.
    pub fn middle(&self) -> impl Iterator<Item = f32> {
        let inside = |i: usize, n: usize| i * 5 >= n && i * 5 < 4 * n;
        let rows = self.values.chunks_exact(self.width).enumerate().filter(move |(y, _)| inside(*y, self.height));
        rows.flat_map(move |(_, row)| row.iter().enumerate().filter(move |(x, _)| inside(*x, self.width)).map(|(_, &v)| v))
    }

    /// Each value the mean of 3 × 3, as often as said.
    pub fn smoothed(&self, times: usize) -> Self {
        let (w, h) = (self.width, self.height);
        let mut values = self.values.clone();
        for _ in 0..times {
            let near = |i: usize, n: usize| i.saturating_sub(1)..(i + 2).min(n);
            let mean = |sum: f32, count: usize| sum / count as f32;
            let rows: Vec<f32> =
                (0..w * h).map(|i| mean(near(i % w, w).map(|x| values[i / w * w + x]).sum(), near(i % w, w).len())).collect();
            values = (0..w * h).map(|i| mean(near(i / w, h).map(|y| rows[y * w + i % w]).sum(), near(i / w, h).len())).collect();
        }
        Self { values, ..*self }
    }

    /// A box of this plane in pixels of the picture.
    pub fn in_picture(&self, bounds: Bounds) -> Rect {
        let (sx, sy) = (self.from.width as f64 / self.width as f64, self.from.height as f64 / self.height as f64);
        let x = (bounds.left as f64 * sx).floor() as usize;
        let y = (bounds.top as f64 * sy).floor() as usize;
        let right = ((bounds.right as f64 * sx).ceil() as usize).min(self.from.width);
        let bottom = ((bounds.bottom as f64 * sy).ceil() as usize).min(self.from.height);
        Rect { x: self.from.x + x, y: self.from.y + y, width: (right - x).max(1), height: (bottom - y).max(1) }
    }
}

/// As [`percentile`], from some thousands of many values, and none of them moved.
pub(crate) fn about(values: &[f32], share: f32) -> f32 {
    // A prime, so that it keeps no step with rows.
    let step = if values.len() > 20_000 { 13 } else { 1 };
    percentile(&mut values.iter().step_by(step).copied().collect::<Vec<_>>(), share)
}

/// The value below which `share` (0…1) of the values lie; 0 for none. Reorders `values`.
pub(crate) fn percentile(values: &mut [f32], share: f32) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let at = ((values.len() - 1) as f32 * share).round() as usize;
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}
