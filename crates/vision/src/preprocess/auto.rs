//! Our own way: find the ink whatever the light, polarity, size and position, then normalise it as MNIST did.
//!
//! 1. bring the picture to working size; 2. judge polarity; 3. subtract the ground; 4. find strong ink and what hangs on to it;
//! 5. choose the pieces that are the drawing, and look again at that part alone if it is small; 6. even out the stroke width;
//! 7. fit the box, centre the mass.

use super::components::{self, Piece};
use super::plane::{Plane, percentile};
use super::polarity::{self, Polarity};
use super::{Prepared, Rect, background, distance, fit};
use crate::picture::Picture;

/// Contrast in grey levels below which there is nothing to see.
pub(super) const FAINT: f32 = 12.0;
/// Ink above this share of the stroke's strength starts a piece …
const HIGH: f32 = 0.5;
/// … and above this share belongs to it.
const LOW: f32 = 0.38;
/// Stroke widths left alone, in pixels of a 20-pixel box; MNIST's own lie between these.
const STROKE: (f32, f32) = (2.2, 3.6);
/// A drawing whose box is smaller than this share of the picture is looked at again, closer.
const SMALL: f64 = 0.55;

/// See [`super::prepare`]. Both sides of `frame` are at least 1.
pub(super) fn prepare(picture: &Picture, frame: (usize, usize)) -> Prepared {
    if in_form(picture, frame) {
        let pixels = picture.grey.clone();
        return Prepared { pixels, blank: false, unchanged: true, ink: ink_rect(picture), ..Prepared::empty(frame) };
    }
    let whole = Rect { x: 0, y: 0, width: picture.width, height: picture.height };
    let plane = Plane::new(picture, whole);
    let polarity = polarity::judge(&plane);
    let blank = Prepared { polarity, ..Prepared::empty(frame) };
    let Some(mut drawing) = look(plane, polarity) else { return blank };
    let found = drawing.plane.in_picture(drawing.rect());
    if (found.width.max(found.height) as f64) < SMALL * whole.width.max(whole.height) as f64 {
        let closer = Plane::new(picture, widened(found, &whole));
        if let Some(again) = look(closer, polarity) {
            drawing = again;
        }
    }
    let ink = drawing.plane.in_picture(drawing.rect());
    let (pixels, stroke) = drawing.render(frame);
    Prepared { pixels, ink: Some(ink), stroke: Some(stroke), blank: false, ..blank }
}

/// The pieces of ink that were chosen, and where they were found.
struct Drawing {
    plane: Plane,
    pieces: Vec<Piece>,
}

/// Finds the drawing. Where what is found runs from side to side (ruled lines, a table's edge, a blotched ground), stronger
/// ink is looked for step by step; if nothing comes loose, the first finding stands.
fn look(plane: Plane, polarity: Polarity) -> Option<Drawing> {
    let ink = background::ink(&plane, polarity);
    let first = strength(&ink)?;
    let size = (plane.width, plane.height);
    let strongest = percentile(&mut ink.clone(), 0.9995);
    let mut found = Vec::new();
    let mut level = first;
    while level == first || HIGH * level < 0.85 * strongest {
        let pieces = components::choose(components::find(&ink, size, LOW * level, HIGH * level), size);
        if found.is_empty() || !spans(&pieces, size) {
            let spanning = spans(&pieces, size);
            found = pieces;
            if !spanning {
                break;
            }
        }
        level *= 1.15;
    }
    (!found.is_empty()).then_some(Drawing { plane, pieces: found })
}

/// Whether a piece reaches from one side of the picture to the other; nothing at all counts as well.
fn spans(pieces: &[Piece], (width, height): (usize, usize)) -> bool {
    let across = |p: &Piece| (p.rect.0 == 0 && p.rect.2 == width) || (p.rect.1 == 0 && p.rect.3 == height);
    pieces.is_empty() || pieces.iter().any(across)
}

/// How strong a typical stroke is, in grey levels; `None` when nothing stands out.
fn strength(ink: &[f32]) -> Option<f32> {
    let top = percentile(&mut ink.to_vec(), 0.998);
    // Nothing covers even 0.2 %: the largest value may still be a hairline, noise is sorted out by its weakness.
    let top = if top < FAINT { ink.iter().copied().fold(0.0, f32::max) } else { top };
    if top < 2.0 * FAINT {
        return (top >= FAINT).then_some(top);
    }
    let mut strong: Vec<f32> = ink.iter().copied().filter(|&v| v > 0.3 * top).collect();
    Some(percentile(&mut strong, 0.6))
}

/// The box with a margin of its own size, inside the picture.
fn widened(found: Rect, whole: &Rect) -> Rect {
    let margin = found.width.max(found.height) / 3 + 2;
    let (x, y) = (found.x.saturating_sub(margin), found.y.saturating_sub(margin));
    let right = (found.x + found.width + margin).min(whole.width);
    let bottom = (found.y + found.height + margin).min(whole.height);
    Rect { x, y, width: right - x, height: bottom - y }
}

impl Drawing {
    /// left, top, right, bottom of all pieces together.
    fn rect(&self) -> (usize, usize, usize, usize) {
        let rects = self.pieces.iter().map(|piece| piece.rect);
        let join = |a: (usize, usize, usize, usize), b: (usize, usize, usize, usize)| {
            (a.0.min(b.0), a.1.min(b.1), a.2.max(b.2), a.3.max(b.3))
        };
        rects.reduce(join).unwrap_or((0, 0, 1, 1))
    }

    /// The network's image, and the stroke width as it was, in pixels of the image.
    fn render(&self, frame: (usize, usize)) -> (Vec<u8>, f32) {
        let (left, top, right, bottom) = self.rect();
        let side = fit::box_side(frame) as f32;
        let longest = (right - left).max(bottom - top) as f32;
        // Room for strokes to grow.
        let room = (longest / 4.0) as usize + 2;
        let (w, h) = (right - left + 2 * room, bottom - top + 2 * room);
        let mut mask = vec![false; w * h];
        for &pixel in self.pieces.iter().flat_map(|piece| &piece.pixels) {
            let (x, y) = (pixel % self.plane.width - left, pixel / self.plane.width - top);
            mask[(y + room) * w + x + room] = true;
        }
        let distance = distance::signed(&mask, (w, h));
        let inside: Vec<f32> = distance.iter().copied().filter(|&d| d > 0.0).collect();
        // In a bar of half width r the mean distance to the edge is r / 2.
        let width = 4.0 * inside.iter().sum::<f32>() / inside.len().max(1) as f32;
        let stroke = width * side / longest;
        let grow = growth(width, longest, side).min(room as f32 - 1.0);
        let soft: Vec<f32> = distance.iter().map(|d| (d + grow + 0.5).clamp(0.0, 1.0)).collect();
        let rect = soft_rect(&soft, w);
        (fit::fit(&soft, (w, h), rect, frame), stroke)
    }
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

/// Where the soft mask is at least half ink.
fn soft_rect(soft: &[f32], width: usize) -> (usize, usize, usize, usize) {
    let mut rect = (usize::MAX, usize::MAX, 0, 0);
    for (i, _) in soft.iter().enumerate().filter(|(_, v)| **v >= 0.5) {
        let (x, y) = (i % width, i / width);
        rect = (rect.0.min(x), rect.1.min(y), rect.2.max(x + 1), rect.3.max(y + 1));
    }
    if rect.2 == 0 { (0, 0, width, soft.len() / width) } else { rect }
}

/// Whether a picture of the frame's own size is in MNIST's form: black border, ink in a box of the right size, centred.
fn in_form(picture: &Picture, frame: (usize, usize)) -> bool {
    if (picture.height, picture.width) != frame {
        return false;
    }
    let Some(ink) = ink_rect(picture) else { return false };
    let side = fit::box_side(frame);
    let strong = picture.grey.iter().copied().max().unwrap_or(0) >= 180;
    let cells: Vec<f32> = picture.grey.iter().map(|&v| f32::from(v)).collect();
    let (x, y) = fit::centre_of_mass(&cells, picture.width);
    let centred = |at: f64, n: usize| (at - n as f64 / 2.0).abs() <= 1.0;
    let sized = ink.width.max(ink.height).abs_diff(side) <= 1;
    strong && sized && centred(x, picture.width) && centred(y, picture.height)
}

/// The box of everything that is not black.
fn ink_rect(picture: &Picture) -> Option<Rect> {
    let lit = |v: &u8| *v > 0;
    let rows: Vec<usize> =
        (0..picture.height).filter(|y| picture.grey[y * picture.width..][..picture.width].iter().any(lit)).collect();
    let (&top, &bottom) = (rows.first()?, rows.last()?);
    let column = |x: &usize| (top..=bottom).any(|y| picture.grey[y * picture.width + x] > 0);
    let left = (0..picture.width).find(column)?;
    let right = (0..picture.width).rfind(column)?;
    Some(Rect { x: left, y: top, width: right - left + 1, height: bottom - top + 1 })
}
