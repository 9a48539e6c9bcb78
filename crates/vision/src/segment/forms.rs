//! The printed lines of forms: underlines, boxes and combs that end within the picture.
//!
//! They are told from strokes by their length, and by where they end: a box's side runs from line to line, a comb's tooth stands on
//! one. Where a digit touches or crosses them, it stays.

use super::lines;
use super::marks::{Mark, SPECK};
use crate::bounds::Bounds;
use crate::effort::{Effort, TooMuch};
use crate::ink::{InkMap, rules};
use crate::pieces;

/// A straight line this long, in heights of the writing, is no stroke of a digit.
const LONG: f32 = 1.9;
/// A box around one digit is at least this large, in heights …
const BOX: f32 = 1.1;
/// … and has this many straight sides at least, each of this share of its width or height: the digit may hide one.
const SIDES: usize = 3;
const STRAIGHT: f32 = 0.85;
/// A side between two lines is at least this long …
const SIDE: f32 = 0.9;
/// … and a comb's tooth at most.
const TOOTH: f32 = 0.65;
/// Steps for each pixel of a mark that is looked through for lines.
const APART: usize = 40;
/// Thickest line, in heights.
const THICK: f32 = 0.12;

/// The marks without such lines; what was joined by them comes apart.
///
/// # Errors
/// When there are more or larger ones than `effort` has steps for.
pub(super) fn without(marks: Vec<Mark>, map: &InkMap, effort: &Effort) -> Result<Vec<Mark>, TooMuch> {
    let height = lines::height(&marks);
    let boxed = |mark: &Mark| mark.width().min(mark.height()) >= BOX * height;
    let (large, mut kept): (Vec<Mark>, Vec<Mark>) = marks.into_iter().partition(|mark| is_long(mark, height) || boxed(mark));
    for mark in large {
        effort.spend(APART * mark.bounds.width() * mark.bounds.height())?;
        match apart(&mark, map, height) {
            Some(parts) => kept.extend(parts),
            None => kept.push(mark),
        }
    }
    Ok(kept)
}

fn is_long(mark: &Mark, height: f32) -> bool {
    mark.width().max(mark.height()) >= LONG * height
}

/// What is left of a mark without its lines; `None` when it has none.
fn apart(mark: &Mark, map: &InkMap, height: f32) -> Option<Vec<Mark>> {
    let (b, width) = (mark.bounds, map.plane.width);
    // Lines along the box's sides have ground beside them, too.
    let room = (0.2 * height) as usize + 2;
    let (w, h) = (b.width() + 2 * room, b.height() + 2 * room);
    let inner = |i: usize| (i / width - b.top + room) * w + i % width - b.left + room;
    let mut ink = vec![0.0; w * h];
    mark.pixels.iter().for_each(|&i| ink[inner(i)] = map.ink[i]);
    let (low, high) = (InkMap::LOW * map.level, InkMap::HIGH * map.level);
    let thickest = THICK * height;
    let mut gone: Vec<usize> = Vec::new();
    let (mut thick, mut count) = (0.0f32, 0);
    let long = is_long(mark, height);
    for upright in [false, true] {
        let side = if upright { mark.height() } else { mark.width() };
        let least = if long { LONG * height } else { STRAIGHT * side };
        for line in rules::straight(&ink, (w, h), upright, low, least as usize, thickest) {
            thick = thick.max(line.thick);
            count += 1;
            gone.extend(line.pixels);
        }
        gone.iter().for_each(|&i| ink[i] = 0.0);
    }
    if gone.is_empty() || (!long && count < SIDES) {
        return None;
    }
    let mut cleared = vec![false; w * h];
    gone.iter().for_each(|&i| cleared[i] = true);
    let reach = thick as usize + 2;
    let on_line = |(x, y): (usize, usize)| {
        let rows = y.saturating_sub(reach)..(y + reach + 1).min(h);
        rows.flat_map(|y| (x.saturating_sub(reach)..(x + reach + 1).min(w)).map(move |x| y * w + x)).any(|i| cleared[i])
    };
    for upright in [false, true] {
        let sides = rules::straight(&ink, (w, h), upright, low, (SIDE * height) as usize, 1.5 * thick + 1.0);
        for side in sides.into_iter().filter(|side| side.ends.into_iter().all(on_line)) {
            side.pixels.into_iter().for_each(|i| ink[i] = 0.0);
        }
    }
    let tooth = |piece: &pieces::Piece| {
        let Bounds { left, right, top, bottom } = piece.bounds;
        let (short, long) = (piece.bounds.width().min(piece.bounds.height()), piece.longest());
        let (x, y) = ((left + right) / 2, (top + bottom) / 2);
        let ends = if bottom - top > right - left { [(x, top), (x, bottom - 1)] } else { [(left, y), (right - 1, y)] };
        short as f32 <= 2.0 * thick + 1.0 && long as f32 <= TOOTH * height && ends.into_iter().any(on_line)
    };
    let found = pieces::find(&ink, (w, h), low, high).into_iter();
    let found = found.filter(|piece| piece.longest() as f32 >= SPECK * height && !tooth(piece));
    let part = |piece: pieces::Piece| {
        let Bounds { left, right, top, bottom } = piece.bounds;
        let bounds = Bounds {
            left: left + b.left - room,
            right: right + b.left - room,
            top: top + b.top - room,
            bottom: bottom + b.top - room,
        };
        let pixels = piece.pixels.iter().map(|i| (i / w + b.top - room) * width + i % w + b.left - room).collect();
        let cut_off = left <= room && mark.cut_off && b.left == 0
            || b.top == 0 && top <= room
            || right >= w - room && b.right == width
            || bottom >= h - room && b.bottom == map.plane.height;
        Mark { pixels, bounds, cut_off }
    };
    Some(found.map(part).collect())
}
