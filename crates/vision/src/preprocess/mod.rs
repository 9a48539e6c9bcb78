//! A [`Picture`] to the small image a network was trained on: white ink on black, as MNIST stores it.
//!
//! [`Preprocess::Auto`] is our own pipeline and the default; `threshold` and `invert` are the two published ways; `none`
//! takes the picture as it is. Division by 255 and the like belong to the network's recipe, not here.

mod auto;

pub use crate::bounds::Rect;
pub use crate::ink::Polarity;
pub use crate::resize::{area, bicubic};

use crate::ink::Plane;
use crate::picture::Picture;
use crate::stage::{Stage, Trace};
use std::fmt;
use std::str::FromStr;

/// How a picture becomes what the network sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Preprocess {
    /// Find the ink whatever the light, polarity, size and position, and normalise it as MNIST did. The default.
    #[default]
    Auto,
    /// Grey scale, bicubic resize, `255 − x`: dark ink on clean white paper, already framed like MNIST.
    Invert,
    /// Grey scale, bicubic resize, ink where `x < 140`, else background: the published recipe for one's own scans.
    Threshold,
    /// Grey scale, bicubic resize: the picture is already white on black.
    None,
}

impl Preprocess {
    /// Every way, in the order shown to users.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Invert, Self::Threshold, Self::None];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Invert => "invert",
            Self::Threshold => "threshold",
            Self::None => "none",
        }
    }
}

impl fmt::Display for Preprocess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no way of preprocessing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("preprocess: expected auto, invert, threshold or none, got '{0}'")]
pub struct UnknownPreprocess(
    /// The name that was given.
    pub String,
);

impl FromStr for Preprocess {
    type Err = UnknownPreprocess;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|way| way.name() == text).ok_or_else(|| UnknownPreprocess(text.to_owned()))
    }
}

/// What the network sees, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// `[height, width]`, white ink (255) on black (0).
    pub pixels: Vec<u8>,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Ink against ground in the picture: found by `auto`, presumed by the other ways.
    pub polarity: Polarity,
    /// Where the ink lies in the upright picture; `None` unless `auto` found some.
    pub ink: Option<Rect>,
    /// Stroke width found by `auto`, in pixels of the result before it was evened out.
    pub stroke: Option<f32>,
    /// Share of the ink in the picture that is in what was chosen as the drawing by `auto`; 1 otherwise.
    pub share: f32,
    /// How uneven the width of its strokes is, as found by `auto`: standard deviation over mean; 0 otherwise. A pen's are below 0.4.
    pub uneven: f32,
    /// There is nothing to see: all pixels equal, or no ink found by `auto`.
    pub blank: bool,
    /// `auto` found the picture to be in MNIST's form already and left it alone.
    pub unchanged: bool,
}

/// The tutorial's threshold: `[0 if i < 140 else 1 for i in range(256)]`.
const INK_BELOW: u8 = 140;

/// As [`prepare`], and what each stage made of the picture, from the upright photo to the network's image, for
/// `maobi_draw::explain_png`.
pub fn explain(picture: &Picture, how: Preprocess, size: (usize, usize)) -> (Prepared, Vec<Stage>) {
    let mut stages = vec![photo(picture)];
    let prepared = run(picture, how, size, &mut |stage| stages.push(stage()));
    stages.push(Stage::of_grey("what the network sees", prepared.pixels.clone(), prepared.width));
    if let (Some(rect), Some(first)) = (prepared.ink, stages.first_mut()) {
        let scale = |n: usize| n * first.width / picture.width.max(1);
        let (x, y) = (scale(rect.x), scale(rect.y));
        first.boxes.push(Rect { x, y, width: scale(rect.width), height: scale(rect.height) });
    }
    (prepared, stages)
}

/// The picture as it came, small enough to be drawn.
pub(crate) fn photo(picture: &Picture) -> Stage {
    const SIDE: usize = 480;
    if picture.width.max(picture.height) <= SIDE || picture.grey.is_empty() {
        return Stage::of_grey("photo", picture.grey.clone(), picture.width);
    }
    let part = Rect { x: 0, y: 0, width: picture.width, height: picture.height };
    let plane = Plane::new(picture, part, SIDE);
    Stage::of_values("photo", &plane.values, plane.width, (0.0, 255.0))
}

/// Prepares a picture for a network whose input is `size` = (height, width), for instance (28, 28).
///
/// Never fails: a picture without ink gives [`Prepared::blank`]. A side of 0 gives no pixels and `blank`.
pub fn prepare(picture: &Picture, how: Preprocess, size: (usize, usize)) -> Prepared {
    run(picture, how, size, &mut |_| ())
}

fn run(picture: &Picture, how: Preprocess, size: (usize, usize), trace: Trace<'_>) -> Prepared {
    let (height, width) = size;
    if height == 0 || width == 0 || picture.grey.is_empty() {
        return Prepared::empty(size);
    }
    let (polarity, curve): (_, fn(u8) -> u8) = match how {
        Preprocess::Auto => return auto::prepare(picture, size, trace),
        Preprocess::Invert => (Polarity::DarkInk, |x| 255 - x),
        Preprocess::Threshold => (Polarity::DarkInk, |x| if x < INK_BELOW { 255 } else { 0 }),
        Preprocess::None => (Polarity::LightInk, |x| x),
    };
    let mut pixels = bicubic(&picture.grey, (picture.width, picture.height), (width, height));
    pixels.iter_mut().for_each(|x| *x = curve(*x));
    let blank = pixels.iter().all(|&x| x == pixels[0]);
    Prepared { pixels, polarity, blank, ..Prepared::empty(size) }
}

impl Prepared {
    /// Black, with nothing found.
    fn empty((height, width): (usize, usize)) -> Self {
        Self {
            pixels: vec![0; height * width],
            height,
            width,
            polarity: Polarity::LightInk,
            ink: None,
            stroke: None,
            share: 1.0,
            uneven: 0.0,
            blank: true,
            unchanged: false,
        }
    }
}

#[cfg(test)]
mod scene_tests;
#[cfg(test)]
mod tests;
