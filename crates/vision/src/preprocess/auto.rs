//! Our own way: find the ink whatever the light, polarity, size and position, then normalise it as MNIST did.
//!
//! 1. bring the picture to working size; 2. judge polarity; 3. subtract the ground; 4. find strong ink and what hangs on to it;
//! 5. choose the pieces that are the drawing, and look again at that part alone if it is small; 6. even out the stroke width;
//! 7. fit the box, centre the mass.

use super::{Polarity, Prepared, Rect};
use crate::bounds::Bounds;
use crate::glyph::{self, Mask};
use crate::ink::{self, InkMap, Look, percentile};
use crate::picture::Picture;
use crate::pieces::{self, Piece};
use crate::stage::{Stage, Trace};

/// A drawing whose box is smaller than this share of the picture is looked at again, closer.
const SMALL: f64 = 0.55;

/// See [`super::prepare`]. Both sides of `frame` are at least 1.
pub(super) fn prepare(picture: &Picture, frame: (usize, usize), trace: Trace<'_>) -> Prepared {
    if in_form(picture, frame) {
        let pixels = picture.grey.clone();
        return Prepared { pixels, blank: false, unchanged: true, ink: ink_rect(picture), ..Prepared::empty(frame) };
    }
    let blank = |polarity| Prepared { polarity, ..Prepared::empty(frame) };
    let drawing = match find(picture) {
        Ok(drawing) => drawing,
        Err(polarity) => return blank(polarity),
    };
    let Some(mask) = drawing.mask() else { return blank(drawing.ink.polarity) };
    let glyph = glyph::normalise(&mask, frame);
    drawing.ink.stages(trace);
    trace(&|| drawing.chosen(&mask));
    trace(&|| Stage::of_values("stroke evened out", &glyph.evened, glyph.evened_width, (0.0, 1.0)));
    let ink = Some(drawing.ink.in_picture(mask.bounds));
    let (share, uneven) = (drawing.share(), glyph::uneven(&mask));
    let stroke = Some(glyph.stroke);
    Prepared { pixels: glyph.pixels, ink, stroke, share, uneven, blank: false, ..blank(drawing.ink.polarity) }
}

/// The pieces of ink that were chosen, and where they were found.
struct Drawing {
    ink: InkMap,
    pieces: Vec<Piece>,
}

/// The drawing on a picture, looked at twice where it is small; the polarity where there is none.
fn find(picture: &Picture) -> Result<Drawing, Polarity> {
    let whole = Look::whole(picture);
    let first = ink::find(picture, &whole)?;
    let polarity = first.polarity;
    let drawing = choose(first)?;
    let found = drawing.ink.in_picture(drawing.bounds());
    if (found.width.max(found.height) as f64) < SMALL * picture.width.max(picture.height) as f64 {
        let closer = Look { part: widened(found, &whole.part), polarity: Some(polarity), ..whole };
        if let Ok(again) = ink::find(picture, &closer).and_then(choose) {
            return Ok(again);
        }
    }
    Ok(drawing)
}

/// Chooses the drawing's pieces. Where what is found runs from side to side (ruled lines, a table's edge, a blotched ground),
/// stronger ink is looked for step by step; if nothing comes loose, the first finding stands.
fn choose(ink: InkMap) -> Result<Drawing, Polarity> {
    let size = ink.size();
    let strongest = percentile(&mut ink.ink.clone(), 0.9995);
    let mut found = Vec::new();
    let mut level = ink.level;
    while level == ink.level || InkMap::HIGH * level < 0.85 * strongest {
        let pieces = pieces::find(&ink.ink, size, InkMap::LOW * level, InkMap::HIGH * level);
        let pieces = pieces::choose(pieces, size);
        if found.is_empty() || !spans(&pieces, size) {
            let spanning = spans(&pieces, size);
            found = pieces;
            if !spanning {
                break;
            }
        }
        level *= 1.15;
    }
    if found.is_empty() { Err(ink.polarity) } else { Ok(Drawing { ink, pieces: found }) }
}

/// Whether a piece reaches from one side of the picture to the other; nothing at all counts as well.
fn spans(pieces: &[Piece], (width, height): (usize, usize)) -> bool {
    let across = |p: &Piece| (p.bounds.left == 0 && p.bounds.right == width) || (p.bounds.top == 0 && p.bounds.bottom == height);
    pieces.is_empty() || pieces.iter().any(across)
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
    /// Around all pieces together.
    fn bounds(&self) -> Bounds {
        self.pieces.iter().fold(Bounds::NOTHING, |all, piece| all.join(piece.bounds))
    }

    /// Share of the ink that is in the chosen pieces, by its strength.
    fn share(&self) -> f32 {
        let strong = |v: &f32| *v > InkMap::LOW * self.ink.level;
        let all: f32 = self.ink.ink.iter().copied().filter(strong).sum();
        let chosen: f32 = self.pieces.iter().flat_map(|piece| &piece.pixels).map(|&i| self.ink.ink[i]).sum();
        (chosen / all.max(f32::MIN_POSITIVE)).min(1.0)
    }

    /// The chosen pieces, white on what else there is of ink.
    fn chosen(&self, mask: &Mask) -> Stage {
        let high = InkMap::HIGH * self.ink.level;
        let mut grey: Vec<u8> = self.ink.ink.iter().map(|&v| if v > high { 90 } else { 0 }).collect();
        self.pieces.iter().flat_map(|piece| &piece.pixels).for_each(|&i| grey[i] = 255);
        let (b, width) = (mask.bounds, self.ink.plane.width);
        Stage::of_grey("the pieces chosen", grey, width).with_box(Rect {
            x: b.left,
            y: b.top,
            width: b.width(),
            height: b.height(),
        })
    }

    fn mask(&self) -> Option<Mask> {
        Mask::of(self.pieces.iter().flat_map(|piece| piece.pixels.iter().copied()), self.ink.plane.width)
    }
}

/// Whether a picture of the frame's own size is in MNIST's form: black border, ink in a box of the right size, centred.
fn in_form(picture: &Picture, frame: (usize, usize)) -> bool {
    if (picture.height, picture.width) != frame {
        return false;
    }
    let Some(ink) = ink_rect(picture) else { return false };
    let side = glyph::box_side(frame);
    let strong = picture.grey.iter().copied().max().unwrap_or(0) >= 180;
    let cells: Vec<f32> = picture.grey.iter().map(|&v| f32::from(v)).collect();
    let (x, y) = glyph::centre_of_mass(&cells, picture.width);
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
