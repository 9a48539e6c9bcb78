//! The ways to read a line: its parts from left to right, runs of them that may be digits, and the best path.

use super::Score;
use super::cuts::{self, Cut};
use super::lines::Line;
use super::marks;
use crate::bounds::Bounds;
use crate::effort::{Effort, TooMuch};
use crate::glyph::Mask;
use crate::ink::InkMap;

/// Most parts in a digit.
const PARTS: usize = 8;
/// Widest digit, in heights of the line.
const WIDEST: f32 = 1.5;
/// Highest digit, in heights of the line.
const HIGHEST: f32 = 1.9;
/// A candidate is worth its probability of being some digit, and this share of its probability of being none: letters between
/// digits are read as what they are instead of being torn into digits.
const NONE: f32 = 0.002;
/// What a cut through one stroke costs.
const CUT: f32 = 1.6;
/// … and each further width of a stroke …
const LONG: f32 = 0.4;
/// … and each further stroke: the seam ran through a loop.
const LOOP: f32 = 2.5;
/// By how much less likely, in logarithms of odds, a small loop is part of its neighbour than another stroke of its size.
const LOOPED: f32 = 2.5;
/// What it costs more to leave out what encloses ground: full stops and dashes do not.
const ENCLOSED: f32 = 2.5;
/// Steps for each pixel of a part, to see whether it encloses ground.
const ENCLOSING: usize = 8;
/// Probabilities below this are all the same: a network's small ones mean nothing.
const LEAST: f32 = 1e-3;

/// A part of a mark that is not cut further.
#[derive(Clone, Debug)]
struct Atom {
    pixels: Vec<usize>,
    bounds: Bounds,
    /// Which mark, and the how many-th of its parts.
    mark: usize,
    part: usize,
    /// Encloses ground, as loops do and broken strokes do not.
    loops: bool,
}

/// A run of parts that may be a digit.
#[derive(Clone, Copy, Debug)]
struct Edge {
    from: usize,
    to: usize,
    candidate: usize,
    /// What shape and the parts' distances cost.
    cost: f32,
}

/// A line's parts and what may be made of them.
#[derive(Clone, Debug)]
pub(super) struct Lattice {
    /// Number of parts.
    parts: usize,
    edges: Vec<Edge>,
    /// What leaving a part out costs.
    skip: Vec<f32>,
    /// What it costs that a digit ends behind a part and another begins.
    split: Vec<f32>,
}

impl Lattice {
    /// `candidate` makes a candidate of pixels.
    ///
    /// # Errors
    /// Those of `candidate`, and when the line is longer than `effort` has steps for.
    pub fn new(
        line: &Line,
        map: &InkMap,
        effort: &Effort,
        mut candidate: impl FnMut(&[usize]) -> Result<Option<usize>, TooMuch>,
    ) -> Result<Self, TooMuch> {
        let width = map.plane.width;
        effort.spend(2 * marks::area(&line.marks))?;
        let stroke = marks::stroke(&line.marks, width);
        let (atoms, mut split) = atoms(line, width, stroke, effort)?;
        let n = atoms.len();
        let mut join = vec![0.0; n];
        for k in 0..n.saturating_sub(1) {
            let (a, b) = (&atoms[k], &atoms[k + 1]);
            if a.mark != b.mark {
                let odds = together(a, b, line.height);
                join[k] = softplus(-odds);
                split[k] += softplus(odds);
            }
        }
        let mut edges = Vec::new();
        for from in 0..n {
            let mut bounds = Bounds::NOTHING;
            let mut pixels = Vec::new();
            let mut cost = 0.0;
            for to in from + 1..=(from + PARTS).min(n) {
                let atom = &atoms[to - 1];
                bounds = bounds.join(atom.bounds);
                pixels.extend_from_slice(&atom.pixels);
                if to > from + 1 {
                    cost += join[to - 2];
                }
                if bounds.width() as f32 > WIDEST * line.height && to > from + 1 {
                    break;
                }
                if bounds.height() as f32 > HIGHEST * line.height && to > from + 1 {
                    continue;
                }
                if cost > 6.0 {
                    break;
                }
                if let Some(candidate) = candidate(&pixels)? {
                    edges.push(Edge {
                        from,
                        to,
                        candidate,
                        cost: cost + shape(bounds, line.height, to == from + 1 && atom.loops),
                    });
                }
            }
        }
        let skip = atoms.iter().map(|atom| aside(atom, line.height)).collect();
        Ok(Self { parts: n, edges, skip, split })
    }

    /// The cheapest way, as candidates from left to right, and what it costs.
    pub fn best(&self, scores: &[Score]) -> (Vec<usize>, f32) {
        let mut least = vec![f32::INFINITY; self.parts + 1];
        let mut came: Vec<(usize, Option<usize>)> = vec![(0, None); self.parts + 1];
        least[0] = 0.0;
        for to in 1..=self.parts {
            let split = if to < self.parts { self.split[to - 1] } else { 0.0 };
            let skipped = least[to - 1] + self.skip[to - 1] + split;
            let (mut best, mut from) = (skipped, (to - 1, None));
            for edge in self.edges.iter().filter(|edge| edge.to == to) {
                let cost = least[edge.from] + edge.cost + split + surprise(scores.get(edge.candidate));
                if cost < best {
                    (best, from) = (cost, (edge.from, Some(edge.candidate)));
                }
            }
            least[to] = best;
            came[to] = from;
        }
        let mut path = Vec::new();
        let mut at = self.parts;
        while at > 0 {
            let (from, candidate) = came[at];
            path.extend(candidate);
            at = from;
        }
        path.reverse();
        (path, least[self.parts])
    }
}

/// −ln of what a candidate is worth.
pub(super) fn surprise(score: Option<&Score>) -> f32 {
    let worth = score.map_or(0.0, |s| s.digit + NONE * s.none);
    -worth.max(LEAST).ln()
}

/// ln(1 + eˣ), the cost of what has log-odds −x.
fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Log-odds that two neighbouring parts of different marks are strokes of one digit.
fn together(a: &Atom, b: &Atom, height: f32) -> f32 {
    let gap = (b.bounds.left as f32 - a.bounds.right as f32) / height;
    let small = a.bounds.height().min(b.bounds.height()) as f32 / height;
    // A loop is a digit, or the larger part of one.
    let lower = if a.bounds.height() < b.bounds.height() { a } else { b };
    2.0 - 8.0 * gap.clamp(-0.3, 2.0) - 4.0 * small - if lower.loops { LOOPED } else { 0.0 }
}

/// What an unlikely shape costs, against the line's height.
fn shape(bounds: Bounds, height: f32, loops: bool) -> f32 {
    let ratio = (bounds.height() as f32 / height).ln();
    // A 0 is often written at a third of the height of its neighbours.
    let low = (-ratio / if loops { 1.2 } else { 0.7 }).max(0.0).powi(2) * 0.5;
    let high = (ratio / 0.3).max(0.0).powi(2) * 0.5;
    low.min(8.0) + high.min(8.0) + too_wide(bounds.width() as f32 / height)
}

/// What it costs to be so wide, as a share of the height.
pub(super) fn too_wide(aspect: f32) -> f32 {
    (((aspect - 1.0) / 0.25).max(0.0).powi(2) * 0.5).min(8.0)
}

/// What it costs to leave a part out as a speck, a full stop or a dash.
fn aside(atom: &Atom, height: f32) -> f32 {
    let size = atom.bounds.longest() as f32 / height;
    let low = atom.bounds.height() as f32 / height;
    0.3 + 8.0 * size.min(1.0) * (0.3 + low).min(1.0) + if atom.loops { ENCLOSED } else { 0.0 }
}

/// The line's parts from left to right, and what a digit's end behind each costs for the ink that is cut.
fn atoms(line: &Line, plane_width: usize, stroke: f32, effort: &Effort) -> Result<(Vec<Atom>, Vec<f32>), TooMuch> {
    let mut atoms = Vec::new();
    // (mark, part, next part): what a cut between them costs.
    let mut crossed = Vec::new();
    for (number, mark) in line.marks.iter().enumerate() {
        let cuts = cuts::find(mark, plane_width, line.height, stroke, effort)?;
        let mut parts = vec![Vec::new(); cuts.len() + 1];
        for &i in &mark.pixels {
            let (x, y) = (i % plane_width, i / plane_width - mark.bounds.top);
            let part = cuts.iter().filter(|cut| cut.seam.get(y).is_some_and(|&at| x >= at)).count();
            parts[part].push(i);
        }
        let mut before: Option<usize> = None;
        for (part, pixels) in parts.into_iter().enumerate() {
            let Some(mask) = Mask::of(pixels.iter().copied(), plane_width) else { continue };
            effort.spend(ENCLOSING * mask.width * mask.height)?;
            // Two seams may run side by side with nothing in between: the cheaper of them was cut.
            let price = |cut: &Cut| {
                let more = cut.strokes.saturating_sub(1) as f32;
                CUT + LONG * (cut.crossed / stroke - 1.0).max(-0.5) + LOOP * more
            };
            if let Some(before) = before.replace(part) {
                let cheapest = cuts[before..part].iter().map(price).fold(f32::INFINITY, f32::min);
                crossed.push((number, before, part, cheapest));
            }
            atoms.push(Atom { pixels, bounds: mask.bounds, mark: number, part, loops: mask.encloses() });
        }
    }
    let middle = |atom: &Atom| atom.bounds.left + atom.bounds.right;
    atoms.sort_by_key(middle);
    let mut split = vec![0.0; atoms.len()];
    for (number, part, next, cost) in crossed {
        let place = |p: usize| atoms.iter().position(|atom| atom.mark == number && atom.part == p);
        if let (Some(a), Some(b)) = (place(part), place(next)) {
            split[a.min(b)..a.max(b)].iter_mut().for_each(|s| *s += cost);
        }
    }
    Ok((atoms, split))
}
