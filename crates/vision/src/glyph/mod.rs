//! A mask of ink to what the network sees: stroke width evened out, fitted to the box, centred by mass, as MNIST was made.

mod distance;
mod fit;
mod mask;
mod pen;

pub(crate) use fit::{box_side, centre_of_mass};
pub(crate) use mask::Mask;
pub(crate) use pen::uneven;

use crate::bounds::Bounds;

/// Stroke widths left alone, in pixels of a 20-pixel box; MNIST's own lie between these.
const STROKE: (f32, f32) = (2.2, 3.6);

/// One digit in the network's frame.
pub(crate) struct Glyph {
    /// `[height, width]` of the frame, white ink (255) on black (0).
    pub pixels: Vec<u8>,
    /// Stroke width before it was evened out, in pixels of the result.
    pub stroke: f32,
    /// The mask after that, 0…1, `[…, evened_width]`: what was fitted.
    pub evened: Vec<f32>,
    /// Columns of `evened`.
    pub evened_width: usize,
}

/// Renders a mask for a network whose input is `frame` = (height, width).
pub(crate) fn normalise(mask: &Mask, frame: (usize, usize)) -> Glyph {
    let side = box_side(frame) as f32;
    let longest = mask.width.max(mask.height) as f32;
    // Room for strokes to grow.
    let room = (longest / 4.0) as usize + 2;
    let (ink, (w, h)) = mask.padded(room);
    let distance = distance::signed(&ink, (w, h));
    let inside: Vec<f32> = distance.iter().copied().filter(|&d| d > 0.0).collect();
    // In a bar of half width r the mean distance to the edge is r / 2.
    let width = 4.0 * inside.iter().sum::<f32>() / inside.len().max(1) as f32;
    let stroke = width * side / longest;
    let grow = growth(width, longest, side).min(room as f32 - 1.0);
    let soft: Vec<f32> = distance.iter().map(|d| (d + grow + 0.5).clamp(0.0, 1.0)).collect();
    let bounds = soft_bounds(&soft, w);
    let pixels = fit::fit(&soft, (w, h), bounds, frame);
    Glyph { pixels, stroke, evened: soft, evened_width: w }
}

/// By how much to move the ink's edge outwards so that strokes of `width` in a drawing `longest` long come out within
/// [`STROKE`]. Growing also enlarges the box, which shrinks the rest: `(width + 2g) · side / (longest + 2g) = wanted`.
fn growth(width: f32, longest: f32, side: f32) -> f32 {
    let unit = side / 20.0;
    let now = width * side / longest;
    let wanted = now.clamp(STROKE.0 * unit, STROKE.1 * unit);
    if now == wanted {
        return 0.0;
    }
    let grow = (wanted * longest / side - width) / (2.0 * (1.0 - wanted / side));
    // Strokes are not even: thinning by more than this would cut the thin parts.
    grow.max(-0.25 * width)
}

/// Where the soft mask is at least half ink; all of it where there is none.
fn soft_bounds(soft: &[f32], width: usize) -> Bounds {
    let half = soft.iter().enumerate().filter(|(_, v)| **v >= 0.5);
    let bounds = half.fold(Bounds::NOTHING, |b, (i, _)| b.with(i % width, i / width));
    if bounds.is_empty() { Bounds::new(0, 0, width, soft.len() / width) } else { bounds }
}
