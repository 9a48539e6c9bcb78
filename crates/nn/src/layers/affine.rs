//! Random affine transformations of images: what `RandomRotation`, `RandomTranslation` and `RandomZoom` share.
//!
//! Output pixel (x, y) is read at (a₀x + a₁y + a₂, b₀x + b₁y + b₂) of the input; what lies outside follows the fill mode
//! (tensorflow/core/kernels/image/image_ops.h, `ProjectiveGenerator`, on which Keras' layers rest).

use crate::op::{Backward, Forward, Op, Random};
use maobi_kernels::rng::Stream;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;
use std::ops::Range;

/// What lies outside the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FillMode {
    /// `d c b a | a b c d | d c b a`.
    #[default]
    Reflect,
    /// `a b c d | a b c d | a b c d`.
    Wrap,
    /// `fill_value`.
    Constant,
    /// `a a a a | a b c d | d d d d`.
    Nearest,
}

/// How a value between pixels is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// The nearest pixel.
    Nearest,
    /// Straight lines between pixels.
    #[default]
    Bilinear,
}

/// A range to draw from: a number f means [−f, f].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Factor {
    /// From −f to f.
    Around(f64),
    /// From the first to the second.
    Between(f64, f64),
}

impl From<f64> for Factor {
    fn from(f: f64) -> Self {
        Factor::Around(f)
    }
}
impl From<(f64, f64)> for Factor {
    fn from((low, high): (f64, f64)) -> Self {
        Factor::Between(low, high)
    }
}

impl Factor {
    /// (lowest, highest), or an error that names the argument unless both lie in [-1, 1] (above -1 where `open`).
    pub(super) fn range(self, argument: &str, open: bool) -> Result<(f32, f32), String> {
        let (a, b) = match self {
            Factor::Around(f) => (-f.abs(), f.abs()),
            Factor::Between(a, b) => (a.min(b), a.max(b)),
        };
        // Keras checks a number before it mirrors it, so zooming by 1 draws from [0, 2] there too.
        let low = if let Factor::Around(f) = self { f } else { a };
        if !(a >= -1.0 && b <= 1.0) || (open && low <= -1.0) {
            let range = if open { "above -1 and at most 1" } else { "between -1 and 1" };
            return Err(format!("{argument} must be a number or [low, high] {range}, got {self}"));
        }
        Ok((a as f32, b as f32))
    }
}

impl std::fmt::Display for Factor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Factor::Around(n) => write!(f, "{n}"),
            Factor::Between(a, b) => write!(f, "[{a}, {b}]"),
        }
    }
}

impl Serialize for Factor {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match *self {
            Factor::Around(f) => f.serialize(s),
            Factor::Between(a, b) => [a, b].serialize(s),
        }
    }
}
impl<'de> Deserialize<'de> for Factor {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            One(f64),
            Two([f64; 2]),
        }
        match Form::deserialize(d) {
            Ok(Form::One(f)) => Ok(Factor::Around(f)),
            Ok(Form::Two([a, b])) => Ok(Factor::Between(a, b)),
            Err(_) => Err(serde::de::Error::custom("factor: expected a number or [low, high]")),
        }
    }
}

/// What is drawn for each sample. Ranges are (low, high).
#[derive(Clone, Copy, Debug)]
pub(super) enum Draw {
    /// Turns, counter-clockwise.
    Rotation((f32, f32)),
    /// Shares of height and width, down and right.
    Translation((f32, f32), (f32, f32)),
    /// 1 + z of height and width (absent: as the height); above 1 the image shrinks.
    Zoom((f32, f32), Option<(f32, f32)>),
}

/// The six numbers of an affine map.
type Matrix = [f32; 6];

impl Draw {
    fn matrix(self, stream: &Stream, h: usize, w: usize) -> Matrix {
        let uniform = |i: u64, (low, high): (f32, f32)| low + (high - low) * stream.uniform_at(i);
        let (cx, cy) = ((w as f32 - 1.0) / 2.0, (h as f32 - 1.0) / 2.0);
        match self {
            Draw::Rotation(turns) => {
                let (sin, cos) = (uniform(0, turns) * std::f32::consts::TAU).sin_cos();
                [cos, -sin, cx - cx * cos + cy * sin, sin, cos, cy - cx * sin - cy * cos]
            }
            Draw::Translation(height, width) => {
                let (down, right) = (uniform(0, height) * h as f32, uniform(1, width) * w as f32);
                [1.0, 0.0, -right, 0.0, 1.0, -down]
            }
            Draw::Zoom(height, width) => {
                let y = 1.0 + uniform(0, height);
                let x = width.map_or(y, |width| 1.0 + uniform(1, width));
                [x, 0.0, cx * (1.0 - x), 0.0, y, cy * (1.0 - y)]
            }
        }
    }
}

/// Transforms each sample by a map of its own in training; the identity in inference.
#[derive(Debug)]
pub(super) struct AffineOp {
    pub(super) shape: [usize; 3],
    pub(super) draw: Draw,
    pub(super) fill_mode: FillMode,
    pub(super) fill_value: f32,
    pub(super) interpolation: Interpolation,
    pub(super) seed: Option<u64>,
}

/// The (at most) two pixels of an axis that a coordinate lies between.
#[derive(Clone, Copy, Debug)]
struct Tap {
    /// [`OUTSIDE`] where the fill value stands.
    at: [u32; 2],
    weight: [f32; 2],
}

const OUTSIDE: u32 = u32::MAX;

impl AffineOp {
    fn matrix(&self, mut random: Random, sample: usize) -> Matrix {
        random.seed = self.seed.unwrap_or(random.seed);
        self.draw.matrix(&random.stream(sample), self.shape[0], self.shape[1])
    }

    fn tap(&self, coordinate: f32, n: usize) -> Tap {
        let at = inside(self.fill_mode, coordinate, n as f32);
        let pixel = |i: f32| if i >= 0.0 && i < n as f32 { i as u32 } else { OUTSIDE };
        match self.interpolation {
            Interpolation::Nearest => Tap { at: [pixel(at.round()), OUTSIDE], weight: [1.0, 0.0] },
            Interpolation::Bilinear => {
                let low = at.floor();
                Tap { at: [pixel(low), pixel(low + 1.0)], weight: [low + 1.0 - at, at - low] }
            }
        }
    }

    /// Calls `f(output pixel, input pixel or None, weight)`, pixels as ranges of values, for every contribution.
    fn visit(&self, m: Matrix, mut f: impl FnMut(Range<usize>, Option<Range<usize>>, f32)) {
        let [h, w, c] = self.shape;
        // Without rotation a column of the output reads one column of the input, whatever the row.
        let separable = m[1] == 0.0 && m[3] == 0.0;
        let mut columns: SmallVec<[Tap; 64]> = SmallVec::new();
        if separable {
            columns.extend((0..w).map(|x| self.tap(m[0] * x as f32 + m[2], w)));
        }
        for y in 0..h {
            let row = self.tap(m[4] * y as f32 + m[5], h);
            for x in 0..w {
                let (row, column) = if separable {
                    (row, columns[x])
                } else {
                    let (x, y) = (x as f32, y as f32);
                    (self.tap(m[3] * x + m[4] * y + m[5], h), self.tap(m[0] * x + m[1] * y + m[2], w))
                };
                let to = (y * w + x) * c;
                for i in 0..2 {
                    for j in 0..2 {
                        let weight = row.weight[i] * column.weight[j];
                        if weight == 0.0 {
                            continue;
                        }
                        let outside = row.at[i] == OUTSIDE || column.at[j] == OUTSIDE;
                        let from = (!outside).then(|| (row.at[i] as usize * w + column.at[j] as usize) * c);
                        f(to..to + c, from.map(|from| from..from + c), weight);
                    }
                }
            }
        }
    }
}

/// A coordinate as the fill mode maps it into an axis of `n` pixels (`constant` leaves it).
fn inside(mode: FillMode, at: f32, n: f32) -> f32 {
    match mode {
        FillMode::Constant => at,
        FillMode::Nearest => at.clamp(0.0, n - 1.0),
        _ if n <= 1.0 => 0.0,
        FillMode::Reflect => {
            let mut at = at;
            let period = 2.0 * n;
            if at < 0.0 {
                if at < period {
                    at += period * (-at / period).trunc();
                }
                at = if at < -n { at + period } else { -at - 1.0 };
            } else if at > n - 1.0 {
                at -= period * (at / period).trunc();
                if at >= n {
                    at = period - at - 1.0;
                }
            }
            at.clamp(0.0, n - 1.0)
        }
        FillMode::Wrap => {
            let mut at = at;
            if at < 0.0 {
                at += n * ((-at / (n - 1.0)).trunc() + 1.0);
            } else if at > n - 1.0 {
                at -= n * (at / (n - 1.0)).trunc();
            }
            at.clamp(0.0, n - 1.0)
        }
    }
}

impl Op for AffineOp {
    fn is_identity_in_inference(&self) -> bool {
        true
    }

    fn forward(&self, c: Forward<'_>) {
        if !c.training {
            c.output.copy_from_slice(c.inputs[0]);
            return;
        }
        let len: usize = self.shape.iter().product();
        c.output.fill(0.0);
        for (i, (x, y)) in c.inputs[0].chunks_exact(len).zip(c.output.chunks_exact_mut(len)).enumerate() {
            self.visit(self.matrix(c.random, c.first + i), |to, from, weight| match from {
                Some(from) => y[to].iter_mut().zip(&x[from]).for_each(|(y, x)| *y += weight * x),
                None => y[to].iter_mut().for_each(|y| *y += weight * self.fill_value),
            });
        }
    }

    /// The transpose: every output adds to the pixels it was read from.
    fn backward(&self, c: Backward<'_, '_>) {
        let Some(dx) = &mut c.d_inputs[0] else { return };
        let len: usize = self.shape.iter().product();
        dx.fill(0.0);
        for (i, (dy, dx)) in c.d_output.chunks_exact(len).zip(dx.chunks_exact_mut(len)).enumerate() {
            self.visit(self.matrix(c.random, c.first + i), |from, to, weight| {
                if let Some(to) = to {
                    dx[to].iter_mut().zip(&dy[from]).for_each(|(dx, dy)| *dx += weight * dy);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pixels that a row 0 … 7 shows from coordinate −5 on, to 12.
    fn row(mode: FillMode) -> Vec<f32> {
        (-5..=12).map(|i| inside(mode, i as f32, 8.0)).collect()
    }

    #[test]
    fn fill_modes_continue_the_row() {
        assert_eq!(row(FillMode::Nearest), [0., 0., 0., 0., 0., 0., 1., 2., 3., 4., 5., 6., 7., 7., 7., 7., 7., 7.]);
        assert_eq!(row(FillMode::Reflect), [4., 3., 2., 1., 0., 0., 1., 2., 3., 4., 5., 6., 7., 7., 6., 5., 4., 3.]);
        assert_eq!(row(FillMode::Wrap), [3., 4., 5., 6., 7., 0., 1., 2., 3., 4., 5., 6., 7., 0., 1., 2., 3., 4.]);
    }

    #[test]
    fn factors_are_checked_as_keras_checks_them() {
        assert_eq!(Factor::from(0.2).range("factor", false), Ok((-0.2, 0.2)));
        assert_eq!(Factor::from((0.3, -0.1)).range("factor", false), Ok((-0.1, 0.3)));
        assert_eq!(
            Factor::from((-2.0, 0.0)).range("height_factor", false).unwrap_err(),
            "height_factor must be a number or [low, high] between -1 and 1, got [-2, 0]"
        );
        assert!(Factor::from((-1.0, 0.0)).range("height_factor", true).is_err());
        assert!(Factor::from(f64::NAN).range("factor", false).is_err());
    }

    fn run(draw: Draw, fill_mode: FillMode, interpolation: Interpolation, shape: [usize; 3], x: &[f32]) -> Vec<f32> {
        let op = AffineOp { shape, draw, fill_mode, fill_value: 9.0, interpolation, seed: None };
        let mut y = vec![0.0; x.len()];
        op.forward(Forward {
            samples: 1,
            first: 0,
            training: true,
            random: Random { seed: 1, step: 2, op: 3 },
            inputs: &[x],
            weights: &[],
            packed: &[],
            output: &mut y,
            saved: &mut [],
            scratch: &mut [],
            pool: &maobi_kernels::pool::Pool::new(1),
        });
        y
    }

    #[test]
    fn a_quarter_turn_is_counter_clockwise() {
        let x = [1.0, 2.0, 3.0, 4.0];
        let y = run(Draw::Rotation((0.25, 0.25)), FillMode::Nearest, Interpolation::Nearest, [2, 2, 1], &x);
        assert_eq!(y, [2.0, 4.0, 1.0, 3.0]);
    }

    #[test]
    fn pixels_move_down_and_right() {
        let x = [1.0, 2.0, 3.0, 4.0];
        let half = Draw::Translation((0.5, 0.5), (0.0, 0.0));
        assert_eq!(run(half, FillMode::Constant, Interpolation::Bilinear, [2, 2, 1], &x), [9.0, 9.0, 1.0, 2.0]);
        let quarter = Draw::Translation((0.0, 0.0), (0.25, 0.25));
        assert_eq!(run(quarter, FillMode::Nearest, Interpolation::Bilinear, [2, 2, 1], &x), [1.0, 1.5, 3.0, 3.5]);
    }

    #[test]
    fn zooming_out_reads_outside() {
        let x = [1.0, 2.0, 3.0, 4.0];
        let y = run(Draw::Zoom((1.0, 1.0), Some((0.0, 0.0))), FillMode::Constant, Interpolation::Nearest, [4, 1, 1], &x);
        assert_eq!(y, [9.0, 2.0, 4.0, 9.0].map(|v: f32| v), "rows −1.5, 0.5, 2.5, 4.5, halves away from zero");
    }
}
