//! Random affine transformations of images: what `RandomRotation`, `RandomTranslation` and `RandomZoom` share.
//!
//! Output pixel (x, y) is read at (a₀x + a₁y + a₂, b₀x + b₁y + b₂) of the input; what lies outside follows the fill mode
//! (tensorflow/core/kernels/image/image_ops.h, `ProjectiveGenerator`, on which Keras' layers rest).

use super::{Built, Shape, image};
use crate::object::{Argument, words};
use crate::op::{Backward, Forward, Op, Random};
use maobi_kernels::rng::Stream;
use serde_json::Value;
use smallvec::SmallVec;

words! {
    /// What lies outside the image.
    pub enum FillMode {
        /// `d c b a | a b c d | d c b a`.
        Reflect = "reflect",
        /// `a b c d | a b c d | a b c d`.
        Wrap = "wrap",
        /// `fill_value`.
        Constant = "constant",
        /// `a a a a | a b c d | d d d d`.
        Nearest = "nearest",
    }
}

words! {
    /// How a value between pixels is found.
    pub enum Interpolation {
        /// The nearest pixel.
        Nearest = "nearest",
        /// Straight lines between pixels.
        Bilinear = "bilinear",
    }
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

impl Argument for Factor {
    fn expected() -> String {
        "a number or [low, high]".into()
    }

    fn read(value: &Value) -> Option<Factor> {
        match value.as_array().map(Vec::as_slice) {
            None => f64::read(value).map(Factor::Around),
            Some([low, high]) => Some(Factor::Between(f64::read(low)?, f64::read(high)?)),
            Some(_) => None,
        }
    }

    fn write(&self) -> Value {
        match *self {
            Factor::Around(f) => f.into(),
            Factor::Between(low, high) => vec![low, high].into(),
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
struct AffineOp {
    shape: [usize; 3],
    draw: Draw,
    sampling: Sampling,
}

/// How the layers that move pixels read a picture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampling {
    pub(super) fill_mode: FillMode,
    pub(super) fill_value: f32,
    pub(super) interpolation: Interpolation,
    pub(super) seed: Option<u64>,
}

/// A layer that moves the pixels of `[batch, height, width, channels]` by what `draw` says.
pub(super) fn moved(inputs: &[Shape], draw: Draw, sampling: Sampling) -> Result<Built, String> {
    let shape = image(inputs)?;
    Ok(Built::op(AffineOp { shape, draw, sampling }, shape.to_vec()))
}

/// The two pixels of an axis that a coordinate lies between; weight 0 in `weight` and 1 in `outside` where there is no pixel.
#[derive(Clone, Copy, Debug)]
struct Tap {
    at: [u32; 2],
    weight: [f32; 2],
    /// What the pixels lack to a sum of 1.
    outside: f32,
}

/// Where an output pixel is read: input pixels (in values) with their weights, and the weight of the fill value.
#[derive(Clone, Copy, Debug)]
struct Corners {
    at: [u32; 4],
    weight: [f32; 4],
    outside: f32,
}

/// Taps or corners of one row; pictures up to 64 pixels wide need no allocation.
type Row<T> = SmallVec<[T; 64]>;

impl AffineOp {
    fn matrix(&self, random: Random, sample: usize) -> Matrix {
        self.draw.matrix(&random.with_seed(self.sampling.seed).stream(sample), self.shape[0], self.shape[1])
    }

    #[inline]
    fn tap(&self, coordinate: f32, n: usize) -> Tap {
        let at = inside(self.sampling.fill_mode, coordinate, n as f32);
        let (low, shares) = match self.sampling.interpolation {
            Interpolation::Nearest => (at.round(), [1.0, 0.0]),
            Interpolation::Bilinear => {
                let low = floor(at);
                (low, [low + 1.0 - at, at - low])
            }
        };
        if low >= 0.0 && low + 1.0 < n as f32 {
            let first = low as i32 as u32;
            return Tap { at: [first, first + 1], weight: shares, outside: 0.0 };
        }
        let mut tap = Tap { at: [0; 2], weight: [0.0; 2], outside: 0.0 };
        for (i, share) in shares.into_iter().enumerate() {
            let pixel = low as i64 + i as i64;
            if (0..n as i64).contains(&pixel) {
                (tap.at[i], tap.weight[i]) = (pixel as u32, share);
            } else {
                tap.outside += share;
            }
        }
        tap
    }

    /// Calls `f(first output pixel of the row, its corners)` for every row.
    fn visit(&self, m: Matrix, mut f: impl FnMut(usize, &[Corners])) {
        let [h, w, c] = self.shape;
        // Without rotation a column of the output reads one column of the input, whatever the row.
        let separable = m[1] == 0.0 && m[3] == 0.0;
        let mut columns: Row<Tap> = SmallVec::new();
        if separable {
            columns.extend((0..w).map(|x| self.tap(m[0] * x as f32 + m[2], w)));
        }
        let mut corners: Row<Corners> = SmallVec::new();
        for y in 0..h {
            corners.clear();
            if separable {
                let row = self.tap(m[4] * y as f32 + m[5], h);
                corners.extend(columns.iter().map(|column| Corners::new(row, *column, w, c)));
            } else {
                corners.extend((0..w).map(|x| {
                    let (x, y) = (x as f32, y as f32);
                    Corners::new(self.tap(m[3] * x + m[4] * y + m[5], h), self.tap(m[0] * x + m[1] * y + m[2], w), w, c)
                }));
            }
            f(y * w * c, &corners);
        }
    }
}

impl Corners {
    #[inline]
    fn new(row: Tap, column: Tap, w: usize, c: usize) -> Corners {
        let at = |i: usize, j: usize| (row.at[i] * w as u32 + column.at[j]) * c as u32;
        let weight = |i: usize, j: usize| row.weight[i] * column.weight[j];
        Corners {
            at: [at(0, 0), at(0, 1), at(1, 0), at(1, 1)],
            weight: [weight(0, 0), weight(0, 1), weight(1, 0), weight(1, 1)],
            outside: row.outside + (row.weight[0] + row.weight[1]) * column.outside,
        }
    }
}

/// The largest whole number up to `v`; coordinates are far below 2³¹. (Without SSE4.1, `f32::floor` is a call.)
#[inline]
fn floor(v: f32) -> f32 {
    let whole = v as i32 as f32;
    if whole > v { whole - 1.0 } else { whole }
}

/// A coordinate as the fill mode maps it into an axis of `n` pixels (`constant` leaves it).
#[inline]
fn inside(mode: FillMode, at: f32, n: f32) -> f32 {
    let whole = |v: f32| v as i32 as f32;
    match mode {
        FillMode::Constant => at,
        FillMode::Nearest => at.clamp(0.0, n - 1.0),
        _ if at >= 0.0 && at <= n - 1.0 => at,
        _ if n <= 1.0 => 0.0,
        FillMode::Reflect => {
            let mut at = at;
            let period = 2.0 * n;
            if at < 0.0 {
                at += period * whole(-at / period);
                at = if at < -n { at + period } else { -at - 1.0 };
            } else {
                at -= period * whole(at / period);
                if at >= n {
                    at = period - at - 1.0;
                }
            }
            at.clamp(0.0, n - 1.0)
        }
        FillMode::Wrap => {
            let at = if at < 0.0 { at + n * (whole(-at / (n - 1.0)) + 1.0) } else { at - n * whole(at / (n - 1.0)) };
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
        let [h, w, channels] = self.shape;
        let len = h * w * channels;
        for (i, (x, y)) in c.inputs[0].chunks_exact(len).zip(c.output.chunks_exact_mut(len)).enumerate() {
            self.visit(self.matrix(c.random, c.first + i), |to, corners| {
                if channels == 1 {
                    for (y, corner) in y[to..].iter_mut().zip(corners) {
                        let ([a, b, c, d], [p, q, r, s]) = (corner.at.map(|at| x[at as usize]), corner.weight);
                        *y = p * a + q * b + r * c + s * d + corner.outside * self.sampling.fill_value;
                    }
                    return;
                }
                for (y, corner) in y[to..].chunks_exact_mut(channels).zip(corners) {
                    let fill = corner.outside * self.sampling.fill_value;
                    let [a, b, c, d] = corner.at.map(|at| &x[at as usize..][..channels]);
                    for (channel, y) in y.iter_mut().enumerate() {
                        let [p, q, r, s] = corner.weight;
                        *y = p * a[channel] + q * b[channel] + r * c[channel] + s * d[channel] + fill;
                    }
                }
            });
        }
    }

    /// The transpose: every output adds to the pixels it was read from.
    fn backward(&self, c: Backward<'_, '_>) {
        let Some(dx) = &mut c.d_inputs[0] else { return };
        let [h, w, channels] = self.shape;
        let len = h * w * channels;
        dx.fill(0.0);
        for (i, (dy, dx)) in c.d_output.chunks_exact(len).zip(dx.chunks_exact_mut(len)).enumerate() {
            self.visit(self.matrix(c.random, c.first + i), |from, corners| {
                for (dy, corner) in dy[from..].chunks_exact(channels).zip(corners) {
                    for (&at, &weight) in corner.at.iter().zip(&corner.weight) {
                        let dx = &mut dx[at as usize..][..channels];
                        dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx += weight * dy);
                    }
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
        let op = AffineOp { shape, draw, sampling: Sampling { fill_mode, fill_value: 9.0, interpolation, seed: None } };
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
