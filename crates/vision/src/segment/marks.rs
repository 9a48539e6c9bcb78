//! The pieces of ink that lines are made of.

use crate::bounds::Bounds;
use crate::ink::InkMap;
use crate::pieces::{self, Piece};

/// Pieces smaller than this share of a digit's height, both ways, are specks.
const SPECK: f32 = 0.12;

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

    /// Middle of the box.
    pub fn centre(&self) -> (f32, f32) {
        let b = &self.bounds;
        ((b.left + b.right) as f32 / 2.0, (b.top + b.bottom) as f32 / 2.0)
    }
}

/// All marks that are not specks.
pub(super) fn find(map: &InkMap) -> Vec<Mark> {
    let found = pieces::find(&map.ink, map.size(), InkMap::LOW * map.level, InkMap::HIGH * map.level);
    let height = typical(found.iter().map(|p| p.bounds.height() as f32));
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
