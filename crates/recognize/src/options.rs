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

/// From where on something is no digit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OperatingPoint {
    /// A model with a class "none" leaves out of a line what it gives more than this probability of being none …
    pub none: f32,
    /// … and rejects a picture of a single digit from here on: nothing beside it speaks for its being one.
    pub alone: f32,
    /// What ink beside that digit adds to the odds of its being none: this many natural logarithms times the share of the
    /// picture's ink that is not the digit's. Stripes, seams and shadows show many strokes, of which one looks like a 1.
    pub beside: f32,
    /// What uneven strokes add: this many natural logarithms for each unit of [`Prepared::uneven`](maobi_vision::Prepared::uneven)
    /// above 0.25. Shadows and shaded things are ragged where a pen's strokes are even.
    pub uneven: f32,
    /// A picture of several digits is rejected when they are less sure than this on average: the geometric mean of
    /// [`Item::confidence`](crate::Item::confidence).
    pub sure: f32,
    /// It is rejected, too, when they hold less than this share of the picture's ink: letters, drawings, textures. A tenth more for each
    /// of the three digits that it lacks; bare bars, as most 1s are, are no digits here.
    pub share: f32,
    /// And when cutting them apart took more than this for each digit after the first, in natural logarithms: most letters can be torn
    /// into two ones, few into five digits. Where all of them are bare bars, two thirds of it.
    pub torn: f32,
    /// A model without that class rejects what it gives less than this probability of being any one digit. That is a poor
    /// substitute: such networks are often sure of things they have never seen.
    pub unsure: f32,
}

impl Default for OperatingPoint {
    /// The published operating point. Within a line, size and neighbours speak for a glyph's being a digit, so that only what the network
    /// is sure of is left out; alone, nothing does.
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
