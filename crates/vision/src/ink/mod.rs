//! Picture to ink: how strongly each pixel of a working-size plane is written on, whatever light, paper and polarity.
//!
//! [`find`] is the one way in, for a single digit and for whole pages: it brings (a part of) the picture to working size, judges
//! polarity, subtracts the ground, takes out ruled lines, and says how strong a typical stroke is. What is made of the ink — pieces, lines, glyphs — is
//! said elsewhere.

mod background;
mod morphology;
mod plane;
mod polarity;
pub(crate) mod rules;

use background::Found;
pub(crate) use plane::{Plane, percentile};
pub use polarity::Polarity;

use crate::bounds::{Bounds, Rect};
use crate::picture::Picture;
use crate::stage::{Stage, Trace};

/// Contrast in grey levels below which there is nothing to see.
const FAINT: f32 = 12.0;

/// Ink that is not stronger than this many standard deviations of the ground's grain is looked for again in a smoothed plane.
const GRAINY: f32 = 8.0;

/// Which part of a picture to look at, and how closely.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// The part, inside the picture and not empty.
    pub part: Rect,
    /// Longest side of the plane, in pixels: a larger part is averaged down.
    pub largest: usize,
    /// Judged by the part itself when `None`.
    pub polarity: Option<Polarity>,
}

impl Look {
    /// For one digit: strokes stay several pixels wide, and it is quick.
    pub const DIGIT: usize = 480;

    /// The whole picture, at the working size of one digit.
    pub fn whole(picture: &Picture) -> Self {
        let part = Rect { x: 0, y: 0, width: picture.width, height: picture.height };
        Self { part, largest: Self::DIGIT, polarity: None }
    }
}

/// Ink strength of a plane `[height, width]`.
pub(crate) struct InkMap {
    /// Grey values of the part that was looked at, and where it lies in the picture.
    pub plane: Plane,
    /// The paper without the ink, grey values as in `plane`.
    pub ground: Vec<f32>,
    /// 0 for ground; strokes about `level`, in grey levels (in full light).
    pub ink: Vec<f32>,
    /// Ink against ground.
    pub polarity: Polarity,
    /// Strength of a typical stroke.
    pub level: f32,
    /// Whether there were ruled lines; they were taken out.
    pub rules: bool,
}

/// Finds the ink.
///
/// # Errors
/// The polarity, where nothing stands out.
pub(crate) fn find(picture: &Picture, look: &Look) -> Result<InkMap, Polarity> {
    let plane = Plane::new(picture, look.part, look.largest);
    let (judged, border_is_ground) = polarity::judge(&plane);
    let polarity = look.polarity.unwrap_or(judged);
    let border_is_ground = border_is_ground && polarity == judged;
    let found = background::separate(&plane, polarity, border_is_ground);
    let level = strength(&found.ink, found.noise);
    // Faint ink in strong grain: it shows when neighbours are averaged. A clean picture's hairlines are left alone.
    let (found, level) = if level.is_none_or(|level| level < GRAINY * found.noise) && found.noise > 2.0 {
        let found = background::separate(&plane.smoothed(2), polarity, border_is_ground);
        let level = strength(&found.ink, found.noise);
        (found, level)
    } else {
        (found, level)
    };
    let Found { ink, ground, rules, .. } = found;
    match level {
        Some(level) => Ok(InkMap { plane, ground, ink, polarity, level, rules }),
        None => Err(polarity),
    }
}

impl InkMap {
    /// Ink above this share of [`Self::level`] starts a piece …
    pub const HIGH: f32 = 0.5;
    /// … and above this share belongs to it.
    pub const LOW: f32 = 0.38;

    /// (width, height) of the plane.
    pub fn size(&self) -> (usize, usize) {
        (self.plane.width, self.plane.height)
    }

    /// Tells what was looked at, the ground, and the ink.
    pub fn stages(&self, trace: Trace<'_>) {
        let width = self.plane.width;
        trace(&|| Stage::of_values("looked at", &self.plane.values, width, (0.0, 255.0)));
        trace(&|| Stage::of_values("ground", &self.ground, width, (0.0, 255.0)));
        let title = if self.rules { "ink, ruled lines taken out" } else { "ink" };
        trace(&|| Stage::of_values(title, &self.ink, width, (0.0, self.level)));
    }

    /// A box of the plane in pixels of the picture.
    pub fn in_picture(&self, bounds: Bounds) -> Rect {
        self.plane.in_picture(bounds)
    }
}

/// How strong a typical stroke is, in grey levels; `None` when nothing stands out.
fn strength(ink: &[f32], noise: f32) -> Option<f32> {
    let least = FAINT.max(5.0 * noise);
    let mut seen: Vec<f32> = ink.iter().copied().filter(|&v| v > least).collect();
    if seen.is_empty() {
        return None;
    }
    let top = percentile(&mut seen, 0.95);
    let mut strong: Vec<f32> = seen.into_iter().filter(|&v| v > 0.3 * top).collect();
    Some(percentile(&mut strong, 0.6))
}
