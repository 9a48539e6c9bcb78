//! How to read a picture.

use maobi_vision::Preprocess;
use std::fmt;
use std::str::FromStr;
use std::time::Instant;

/// How a picture is to be read; the default finds out by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// How ink becomes what the network sees. Only [`Preprocess::Auto`] can find several digits: with the other ways a picture
    /// is one digit.
    pub how: Preprocess,
    /// How many digits to expect.
    pub layout: Layout,
    /// When reading is given up; `None`: never.
    pub until: Option<Instant>,
}

impl Options {
    /// The default: find the ink, find out how many digits there are.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`Options::how`].
    pub fn how(mut self, how: Preprocess) -> Self {
        self.how = how;
        self
    }

    /// Sets [`Options::layout`].
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// Sets [`Options::until`].
    pub fn until(mut self, until: Instant) -> Self {
        self.until = Some(until);
        self
    }
}

/// How many digits are on a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Layout {
    /// One digit, a line or a page: the ink decides.
    #[default]
    Auto,
    /// One digit.
    Single,
    /// One line of digits.
    Line,
    /// Any number of lines.
    Many,
}

impl Layout {
    /// Every layout, in the order shown to users.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Single, Self::Line, Self::Many];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Single => "single",
            Self::Line => "line",
            Self::Many => "many",
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("layout: expected auto, single, line or many, got '{0}'")]
pub struct UnknownLayout(
    /// The name that was given.
    pub String,
);

impl FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|layout| layout.name() == text).ok_or_else(|| UnknownLayout(text.to_owned()))
    }
}

/// From where on something is no digit: eight numbers, set for the model in the box.
///
/// The thresholds were fitted on pictures kept apart from those that are reported: 98.1 % of that set of non-digits were rejected and
/// 98.4 % of held-out MNIST training images kept. Only `alone` was moved afterwards, see there. How the search went, and how each number
/// was weighed against the others, is not recorded. `docs/reading.md` has the commands that measure what a change does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OperatingPoint {
    /// A model with a class "none" leaves a glyph out of a line when it gives more than this probability of being none. A
    /// probability, 0 to 1; default 0.95. It was 0.5 at first and was raised because size and neighbors already speak for a glyph in a
    /// line, so only what the network is sure of is left out.
    pub none: f32,
    /// It rejects a picture of a single digit when the probability of being none, raised by `beside` and `uneven`, is more than
    /// this. A probability, 0 to 1; default 0.04. It was fitted as 0.06, which rejected 94.5 % of 2,000 non-digits and kept 98.5 % of
    /// MNIST's test images; 0.04 was then taken to reach 95 %: 95.1 % and 98.2 %.
    pub alone: f32,
    /// What ink beside that digit adds to the odds of its being none: this many natural logarithms times the share of the
    /// picture's ink that is not the digit's. Stripes, seams and shadows show many strokes, of which one looks like a 1. Default 8;
    /// came in together with `uneven`, against textures that were read as 1 (`tests/rejection.rs`).
    pub beside: f32,
    /// What uneven strokes add to the same odds: this many natural logarithms for each unit of
    /// [`Prepared::uneven`](maobi_vision::Prepared::uneven) above 0.25. A pen's strokes measure 0.1 to 0.3; shadows and shaded things
    /// 0.5 to 2. Default 5.
    pub uneven: f32,
    /// A picture of several digits is rejected when they are less sure than this on average: the geometric mean of
    /// [`Item::confidence`](crate::Item::confidence). A probability, 0 to 1; default 0.9, never changed since it was set.
    pub sure: f32,
    /// It is also rejected when the digits hold less than this share of the picture's ink, as in letters, drawings and textures. A share,
    /// 0 to 1, and a tenth more for each of the three digits that it lacks; bare bars, as most 1s are, do not count as digits here.
    /// Default 0.65, never changed since it was set.
    pub share: f32,
    /// It is also rejected when cutting the digits apart cost more than this for each digit after the first: most letters can be torn
    /// into two 1s, few into five digits. In natural logarithms, as the costs of `maobi_vision::segment`; where all digits are bare bars,
    /// two thirds of it. Default 1.5, never changed since it was set.
    pub torn: f32,
    /// A model without the class "none" rejects what it gives less than this probability of being any one digit. A probability, 0 to
    /// 1; default 0.5: below it, all other digits together are as likely. It was 0.5 from the start. It is a poor substitute for that
    /// class: such networks are often sure of things they have never seen.
    pub unsure: f32,
}

impl Default for OperatingPoint {
    /// The published operating point.
    fn default() -> Self {
        Self { none: 0.95, alone: 0.04, beside: 8.0, uneven: 5.0, sure: 0.9, share: 0.65, torn: 1.5, unsure: 0.5 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_there_and_back() {
        for layout in Layout::ALL {
            assert_eq!(layout.to_string().parse(), Ok(layout));
        }
        let error = "page".parse::<Layout>().unwrap_err();
        assert_eq!(error.to_string(), "layout: expected auto, single, line or many, got 'page'");
    }
}
