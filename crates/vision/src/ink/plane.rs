//! The grey picture at the size at which ink is looked for.

use crate::bounds::Bounds;
use crate::picture::Picture;
use crate::preprocess::Rect;
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
        // Row by row, so that a large photo is not copied to floats as a whole.
        let rows = height.max(1);
        let step = from.height as f64 / rows as f64;
        let mut values = Vec::with_capacity(width * height);
        for row in 0..rows {
            let (top, bottom) = (row as f64 * step, (row + 1) as f64 * step);
            let (first, end) = (top as usize, (bottom.ceil() as usize).min(from.height));
            let band: Vec<f32> = (first..end)
                .flat_map(|y| {
                    let start = (from.y + y) * picture.width + from.x;
                    picture.grey[start..start + from.width].iter().map(|&g| f32::from(g))
                })
                .collect();
            let part = (0.0, top - first as f64, from.width as f64, step);
            values.extend(area(&band, (from.width, end - first), part, (width, 1)));
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

/// The value below which `share` (0…1) of the values lie; 0 for none. Reorders `values`.
pub(crate) fn percentile(values: &mut [f32], share: f32) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let at = ((values.len() - 1) as f32 * share).round() as usize;
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}
