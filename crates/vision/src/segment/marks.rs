//! The pieces of ink that lines are made of.

use crate::bounds::Bounds;
use crate::glyph::Mask;
use crate::ink::InkMap;
use crate::pieces::{self, Piece};

/// Pieces smaller than this share of a digit's height, both ways, are specks.
pub(super) const SPECK: f32 = 0.12;

/// A bar thinner than this share of the pen's strokes is none of them; bars are this many times as long as wide.
const HAIR: f32 = 0.5;
const SLIM: f32 = 5.0;

/// Marks on a picture at most, the largest: texture has no end of them.
const MOST: usize = 400;

/// A connected piece of ink.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// Indices into the plane.
    pub pixels: Vec<usize>,
    pub bounds: Bounds,
    /// Touches the frame of the picture at its top or bottom, or at its sides.
    pub cut_off: bool,
}

impl Mark {
    pub fn width(&self) -> f32 {
        self.bounds.width() as f32
    }

    pub fn height(&self) -> f32 {
        self.bounds.height() as f32
    }

    /// Cut out.
    pub fn mask(&self, plane_width: usize) -> Option<Mask> {
        Mask::of(self.pixels.iter().copied(), plane_width)
    }

    /// Middle of the box.
    pub fn centre(&self) -> (f32, f32) {
        let b = &self.bounds;
        ((b.left + b.right) as f32 / 2.0, (b.top + b.bottom) as f32 / 2.0)
    }
}

/// All marks that are not specks.
pub(super) fn find(map: &InkMap) -> Vec<Mark> {
    let mut found = pieces::find(&map.ink, map.size(), InkMap::LOW * map.level, InkMap::HIGH * map.level);
    pieces::drop_frames(&mut found, map.plane.width);
    let height = typical_inside(found.iter().map(|piece| (piece.bounds.height() as f32, piece.touches)));
    let keep = |piece: &Piece| piece.longest() as f32 >= SPECK * height;
    let mark = |piece: Piece| Mark { pixels: piece.pixels, bounds: piece.bounds, cut_off: piece.touches };
    let mut marks: Vec<Mark> = found.into_iter().filter(keep).map(mark).collect();
    marks.sort_by_key(|mark| std::cmp::Reverse(mark.pixels.len()));
    marks.truncate(MOST);
    marks
}

/// The median, large values counting more: `height²` each, so that many specks do not outweigh few digits.
pub(super) fn typical(heights: impl Iterator<Item = f32>) -> f32 {
    let mut heights: Vec<f32> = heights.collect();
    heights.sort_by(f32::total_cmp);
    let half = heights.iter().map(|h| h * h).sum::<f32>() / 2.0;
    let mut sum = 0.0;
    let middle = heights.iter().find(|h| {
        sum += **h * **h;
        sum >= half
    });
    middle.copied().unwrap_or(0.0)
}

/// The same of (height, cut off by the frame) for those that are not cut off, where there are any: edges of the paper say nothing about
/// the size of the writing.
pub(super) fn typical_inside(heights: impl Iterator<Item = (f32, bool)> + Clone) -> f32 {
    let inside = heights.clone().any(|(_, cut_off)| !cut_off);
    typical(heights.filter(|(_, cut_off)| !(inside && *cut_off)).map(|(height, _)| height))
}

/// Leaves out hairlines, what is left of ruled and printed lines: bars much thinner than the pen.
pub(super) fn without_hairlines(mut marks: Vec<Mark>, plane_width: usize) -> Vec<Mark> {
    let least = HAIR * stroke(&marks, plane_width);
    let bar = |mark: &Mark| SLIM * mark.width().min(mark.height()) <= mark.width().max(mark.height());
    marks.retain(|mark| !bar(mark) || mark.pixels.len() as f32 >= least * mark.bounds.longest() as f32);
    marks
}

/// Pixels of the boxes of all marks.
pub(super) fn area(marks: &[Mark]) -> usize {
    marks.iter().map(|mark| mark.bounds.width() * mark.bounds.height()).sum()
}

/// Width of the marks' strokes, in pixels: twice the ink over its edge.
pub(super) fn stroke(marks: &[Mark], plane_width: usize) -> f32 {
    let (mut area, mut edge) = (0usize, 0usize);
    for mark in marks {
        let Some(Mask { ink, width: w, height: h, .. }) = mark.mask(plane_width) else { continue };
        let at = |x: usize, y: usize| x < w && y < h && ink[y * w + x];
        let inner = |x: usize, y: usize| x > 0 && y > 0 && at(x - 1, y) && at(x + 1, y) && at(x, y - 1) && at(x, y + 1);
        area += mark.pixels.len();
        edge += (0..w * h).filter(|i| ink[*i] && !inner(i % w, i / w)).count();
    }
    (2.0 * area as f32 / edge.max(1) as f32).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specks_do_not_change_what_is_typical() {
        let heights = (0..300).map(|_| 3.0).chain([90.0, 100.0, 110.0]);
        assert_eq!(typical(heights), 100.0);
        assert_eq!(typical(std::iter::empty()), 0.0);
    }
}
