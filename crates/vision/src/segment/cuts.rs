//! Where touching digits may be cut apart.
//!
//! A cut is a seam from top to bottom that crosses as little ink as possible; it may lean up to 45°. Such seams run through the
//! valleys between two round shapes, between slanted strokes, and across the thin joint of a ligature.

use super::marks::Mark;
use crate::effort::{Effort, TooMuch};
use crate::glyph::Mask;

/// Widths below this share of the line's height are one digit at most.
const NARROW: f32 = 0.55;
/// How far a seam may lean from where it was asked for, in heights. A straight one crosses the joint of two round shapes, where a
/// freer one would find less ink in going through their loops.
const LEAN: [f32; 3] = [0.05, 0.18, 0.35];
/// Steps for each row of a seam, in heights: the widest strip, several looks at each of its pixels.
const SEAM: f32 = 4.0;
/// Least ink on each side of a cut, as a share of an upright stroke's.
const ASIDE: f32 = 0.25;
/// Least distance between two seams, in heights.
const APART: f32 = 0.12;
/// Ink that a seam may cross, in stroke widths: two round strokes that touch side by side share several.
const THROUGH: f32 = 5.5;
/// A seam that crosses a second stroke runs through a loop: what that counts, in stroke widths.
const LOOP: f32 = 2.0;
/// What a step to the side costs, against 1 for a pixel of ink.
const STEP: f32 = 0.06;

/// A seam: for each row of the mark's box, ink left of that column (of the plane) lies to the left.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    pub seam: Vec<usize>,
    /// Pixels of ink crossed.
    pub crossed: f32,
    /// How often ink is entered: a seam through a loop crosses two strokes.
    pub strokes: usize,
    mean: f32,
}

/// Cuts of a mark from left to right, for digits of that height and strokes of that width.
///
/// # Errors
/// When the mark is larger than `effort` has steps for.
pub(super) fn find(mark: &Mark, plane_width: usize, height: f32, stroke: f32, effort: &Effort) -> Result<Vec<Cut>, TooMuch> {
    let b = mark.bounds;
    if mark.width() < NARROW * height {
        return Ok(Vec::new());
    }
    let Some(Mask { ink, width: w, height: h, .. }) = mark.mask(plane_width) else { return Ok(Vec::new()) };
    let step = (height / 14.0).max(1.0);
    // Each seam is looked for in a strip and then parts the whole mark.
    effort.spend((w as f32 / step) as usize * LEAN.len() * h * ((SEAM * height) as usize + w))?;
    let margin = 0.12 * height;
    let targets = (0..).map(|k| margin + k as f32 * step).take_while(|x| *x <= w as f32 - margin);
    let seams = targets.flat_map(|x| LEAN.map(|lean| seam(&ink, (w, h), (x, lean * height), LOOP * stroke)));
    let enough = (ASIDE * height * stroke) as usize;
    let parts = |cut: &Cut| {
        let left = (0..w * h).filter(|&i| ink[i] && i % w < cut.seam[i / w]).count();
        left >= enough && mark.pixels.len() - left >= enough
    };
    let mut found: Vec<Cut> = seams.filter(|cut| cut.crossed <= THROUGH * stroke && parts(cut)).collect();
    let rank = |cut: &Cut| cut.crossed + LOOP * stroke * cut.strokes.saturating_sub(1) as f32;
    found.sort_by(|p, q| rank(p).total_cmp(&rank(q)));
    let mut kept: Vec<Cut> = Vec::new();
    for cut in found {
        if kept.iter().all(|other| (other.mean - cut.mean).abs() >= APART * height) {
            kept.push(cut);
        }
    }
    kept.truncate((4.0 * w as f32 / height).ceil() as usize);
    kept.sort_by(|p, q| p.mean.total_cmp(&q.mean));
    kept.iter_mut().for_each(|cut| cut.seam.iter_mut().for_each(|x| *x += b.left));
    Ok(kept)
}

/// The seam of least ink within `lean` of column `x`; each stroke that it enters counts `enter` more.
fn seam(ink: &[bool], (w, h): (usize, usize), (x, lean): (f32, f32), enter: f32) -> Cut {
    let first = (x - lean).max(0.0) as usize;
    let end = ((x + lean) as usize + 1).min(w).max(first + 1);
    let n = end - first;
    // Drawn towards the column asked for, just enough to decide between equals.
    let pull = |c: usize| 0.02 * ((first + c) as f32 - x).abs() / lean.max(1.0);
    let cost = |y: usize, c: usize| if ink[y * w + first + c] { 1.0 } else { pull(c) };
    let inked = |y: usize, c: usize| ink[y * w + first + c];
    let mut sums: Vec<f32> = (0..n).map(|c| cost(0, c) + if inked(0, c) { enter } else { 0.0 }).collect();
    let mut came = vec![0i8; n * h];
    for y in 1..h {
        let before = sums.clone();
        for c in 0..n {
            let come = |from: usize| before[from] + if inked(y, c) && !inked(y - 1, from) { enter } else { 0.0 };
            let mut best = (come(c), 0i8);
            for side in [-1i8, 1] {
                let Some(from) = c.checked_add_signed(isize::from(side)).filter(|f| *f < n) else { continue };
                // A step aside within ink goes through more of it.
                let aside = come(from) + if inked(y, c) { 0.42 } else { STEP };
                if aside < best.0 {
                    best = (aside, side);
                }
            }
            sums[c] = best.0 + cost(y, c);
            came[y * n + c] = best.1;
        }
    }
    let least = |a: usize, b: usize| if sums[b] < sums[a] { b } else { a };
    let mut c = (0..n).reduce(least).unwrap_or(0);
    let mut seam = vec![0; h];
    let (mut crossed, mut strokes, mut within) = (0.0, 0, false);
    for y in (0..h).rev() {
        seam[y] = first + c;
        let inked = ink[y * w + first + c];
        crossed += if inked { 1.0 } else { 0.0 };
        strokes += usize::from(inked && !within);
        within = inked;
        c = c.saturating_add_signed(isize::from(came[y * n + c])).min(n - 1);
    }
    let mean = seam.iter().sum::<usize>() as f32 / h as f32;
    Cut { seam, crossed, strokes, mean }
}
