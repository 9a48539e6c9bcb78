//! From planned lines to dabs of ink.

use super::raster::Dab;
use super::sketch::Point;

/// Strokes of ink.
pub(super) type Dabs = Vec<Vec<Dab>>;

/// Gives each point the radius that `pen` has for the direction it moves in.
pub(super) fn join(plan: Vec<Vec<Point>>, pen: impl Fn(Point) -> f32) -> Dabs {
    plan.into_iter()
        .map(|stroke| {
            let last = stroke.len().saturating_sub(1);
            let along = |i: usize| {
                let (from, to) = (stroke[i.saturating_sub(1)], stroke[(i + 1).min(last)]);
                Point { x: to.x - from.x, y: to.y - from.y }
            };
            (0..stroke.len()).map(|i| Dab { at: stroke[i], radius: pen(along(i)).max(0.01) }).collect()
        })
        .collect()
}
