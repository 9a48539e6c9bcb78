//! Several digits on one picture: lines, and in each line every way to cut the ink into digits that is worth a look.
//!
//! [`segment`] cuts finer than needed and proposes glyphs that are runs of neighbouring parts; a network scores them all at once;
//! [`Segmentation::best`] then takes the likeliest way through each line. Over-segmentation and a best path are the classic way to
//! read touching digits (Casey and Lecolinet, "A survey of methods and strategies in character segmentation", 1996).
//!
//! The network is not called from here: this crate knows none.

mod cuts;
mod forms;
mod lattice;
mod lines;
mod marks;

use crate::bounds::Rect;
use crate::effort::{Effort, TooMuch};
use crate::glyph::{Mask, normalise};
use crate::ink::{self, InkMap, Look};
use crate::picture::Picture;
use lattice::Lattice;
use marks::Mark;

/// Longest side of the plane on which the size of the writing is looked for …
const GLANCE: usize = 640;
/// … and bounds of the one on which it is read, chosen so that digits are [`TALL`] pixels high.
const CLOSE: (usize, usize) = (200, 2000);
/// Height at which strokes are several pixels wide and nothing is slow.
const TALL: f32 = 64.0;

/// Steps for each pixel of a plane in which ink is looked for …
const FOUND: usize = 40;
/// … and for each pixel of the square around a candidate, with room for its strokes to grow.
const NORMALISED: usize = 20;

/// Candidates at most: a full page has a few hundred, texture no end of them.
const MOST: usize = 2500;

/// A glyph that may be a digit.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// What a network is to see, `[height, width]` of its frame, white on black.
    pub pixels: Vec<u8>,
    /// Where it lies in the upright picture.
    pub rect: Rect,
    /// Share of the picture's ink that it holds.
    pub share: f32,
}

/// What a network says of a candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Probability of the likeliest digit.
    pub digit: f32,
    /// Probability of being no digit at all; 0 for a network that cannot tell.
    pub none: f32,
}

impl Score {
    /// How unlikely it is that a picture holds this one digit, its ink in `rect`; to be compared with [`Path::cost`].
    pub fn alone(&self, rect: Rect) -> f32 {
        lattice::surprise(Some(self)) + lattice::too_wide(rect.width as f32 / rect.height.max(1) as f32)
    }
}

/// All that may stand on a picture.
#[derive(Clone, Debug, Default)]
pub struct Segmentation {
    candidates: Vec<Candidate>,
    /// With the ink of each, as a share of the picture's.
    lines: Vec<(Lattice, f32)>,
}

/// One way to read a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Path {
    /// From top to bottom; a line in which nothing was read is none of them.
    pub lines: Vec<PathLine>,
    /// How unlikely that is, in natural logarithms: to be compared with [`Score::alone`].
    pub cost: f32,
}

/// A line of a [`Path`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PathLine {
    /// From left to right, as indices into [`Segmentation::candidates`].
    pub candidates: Vec<usize>,
    /// How unlikely it is.
    pub cost: f32,
    /// Its share of the picture's ink, of which its candidates may not hold all.
    pub share: f32,
}

/// Finds what may be digits, for a network whose input is `frame` = (height, width). The result is empty if there is no
/// ink, or if the picture takes more than [`Effort::STEPS`].
pub fn segment(picture: &Picture, frame: (usize, usize)) -> Segmentation {
    segment_within(picture, frame, &Effort::new(None)).unwrap_or_default()
}

/// [`segment`] with a bound on the work.
///
/// # Errors
/// [`TooMuch`] when `effort` is used up.
pub fn segment_within(picture: &Picture, frame: (usize, usize), effort: &Effort) -> Result<Segmentation, TooMuch> {
    let Some((map, marks)) = look(picture, effort)? else { return Ok(Segmentation::default()) };
    let mut all = Segmentation::default();
    let total = marks.iter().map(|mark| mark.pixels.len()).sum::<usize>().max(1) as f32;
    for line in lines::group(marks) {
        let share = line.marks.iter().map(|mark| mark.pixels.len()).sum::<usize>() as f32 / total;
        let lattice = Lattice::new(&line, &map, effort, |pixels| {
            if all.candidates.len() >= MOST {
                return Ok(None);
            }
            let Some(mask) = Mask::of(pixels.iter().copied(), map.plane.width) else { return Ok(None) };
            effort.spend(NORMALISED * mask.width.max(mask.height).pow(2))?;
            let glyph = normalise(&mask, frame);
            let rect = map.in_picture(mask.bounds);
            all.candidates.push(Candidate { pixels: glyph.pixels, rect, share: pixels.len() as f32 / total });
            Ok(Some(all.candidates.len() - 1))
        })?;
        all.lines.push((lattice, share));
    }
    Ok(all)
}

/// The ink and its marks, at a size that suits the writing's.
fn look(picture: &Picture, effort: &Effort) -> Result<Option<(InkMap, Vec<Mark>)>, TooMuch> {
    let glance = Look { largest: GLANCE, ..Look::whole(picture) };
    effort.spend(FOUND * GLANCE * GLANCE)?;
    let Ok(map) = ink::find(picture, &glance) else { return Ok(None) };
    let marks = written(&map, effort)?;
    let height = lines::height(&marks);
    let longest = map.plane.width.max(map.plane.height);
    let wanted = ((longest as f32 * TALL / height.max(1.0)) as usize).clamp(CLOSE.0, CLOSE.1);
    // Nothing is gained by a size that is nearly the same, nor are there more pixels than the picture's.
    let all_of_it = longest >= picture.width.max(picture.height);
    if wanted.abs_diff(longest) * 4 < longest || (wanted > longest && all_of_it) {
        return Ok(Some((map, marks)));
    }
    let look = Look { largest: wanted, polarity: Some(map.polarity), ..glance };
    // Frees its memory before the larger one is made.
    drop(map);
    effort.spend(FOUND * wanted * wanted)?;
    let Ok(map) = ink::find(picture, &look) else { return Ok(None) };
    let marks = written(&map, effort)?;
    Ok(Some((map, marks)))
}

/// What the pen left.
fn written(map: &InkMap, effort: &Effort) -> Result<Vec<Mark>, TooMuch> {
    let marks = forms::without(marks::find(map), map, effort)?;
    effort.spend(marks::area(&marks))?;
    Ok(marks::without_hairlines(marks, map.plane.width))
}

impl Segmentation {
    /// What a network is to score.
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The likeliest way to read the picture, given a score for each candidate; candidates without a score count as no digit.
    pub fn best(&self, scores: &[Score]) -> Path {
        let mut all = Path::default();
        for (lattice, share) in &self.lines {
            let (candidates, cost) = lattice.best(scores);
            all.cost += cost;
            if !candidates.is_empty() {
                all.lines.push(PathLine { candidates, cost, share: *share });
            }
        }
        all
    }
}

#[cfg(test)]
mod tests;
