//! `UpSampling2D`: an enlarged image.

use super::arguments::{ChannelsLast, Pair};
use super::{Built, Layer, Shape, check_size, image};
use crate::object::words;
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation};

words! {
    /// Where a value between pixels comes from.
    pub enum UpSampling {
        /// The pixel is repeated.
        Nearest = "nearest",
        /// Straight lines between the centers of pixels; outside the outermost centers, the edge.
        Bilinear = "bilinear",
    }
}

keras_layer! {
    /// `[batch, height, width, channels]` → `[batch, height · size[0], width · size[1], channels]`.
    ///
    /// Keras file: `layers/reshaping/up_sampling2d.py`.
    pub struct UpSampling2D("up_sampling2d") new(
        /// Whole factors of height and width; 2 where a configuration does not say.
        size: Pair = Pair(2, 2),
    ) {
        /// Channels last, the one order there is.
        data_format: ChannelsLast = ChannelsLast,
        /// Nearest or bilinear; nearest by default.
        interpolation: UpSampling = UpSampling::Nearest,
    }
}

impl Layer for UpSampling2D {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let [h, w, channels] = image(inputs)?;
        let (up, across) = self.size.positive("size")?;
        let (Some(out_h), Some(out_w)) = (h.checked_mul(up), w.checked_mul(across)) else {
            return Err(format!("size [{up}, {across}] is too large"));
        };
        check_size("the output", &[out_h, out_w, channels])?;
        let along = |n: usize, factor: usize| Along { n, factor, interpolation: self.interpolation };
        let op = UpSampleOp { w, pixels: h * w, channels, rows: along(h, up), columns: along(w, across) };
        Ok(Built::op(op, vec![out_h, out_w, channels]))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        Ok(call
            .step(Operation::UpSample { size: [self.size.0, self.size.1], bilinear: self.interpolation == UpSampling::Bilinear }))
    }
}

/// The two pixels that an output lies between, and how much of the second it takes.
#[derive(Clone, Copy, Debug)]
struct Tap {
    first: usize,
    second: usize,
    share: f32,
}

/// One axis: its length, and by what it grows.
#[derive(Clone, Copy, Debug)]
struct Along {
    n: usize,
    factor: usize,
    interpolation: UpSampling,
}

impl Along {
    /// The length of the output.
    fn len(self) -> usize {
        self.n * self.factor
    }

    /// Half-pixel centres (tensorflow `resize` with antialias off): output i lies at (i + ½) / factor − ½.
    fn taps(self) -> impl Iterator<Item = Tap> {
        let Along { n, factor, interpolation } = self;
        (0..self.len()).map(move |i| match interpolation {
            UpSampling::Nearest => Tap { first: i / factor, second: i / factor, share: 0.0 },
            UpSampling::Bilinear => {
                let at = (i as f32 + 0.5) * (1.0 / factor as f32) - 0.5;
                let low = at.floor();
                Tap { first: low.max(0.0) as usize, second: (at.ceil().max(0.0) as usize).min(n - 1), share: at - low }
            }
        })
    }
}

#[derive(Debug)]
struct UpSampleOp {
    w: usize,
    pixels: usize,
    channels: usize,
    rows: Along,
    columns: Along,
}

impl UpSampleOp {
    /// Calls `f(output pixel, [(input pixel, weight); 4])`; pixels count in values.
    fn visit(&self, mut f: impl FnMut(usize, [(usize, f32); 4])) {
        let mut output = 0;
        for row in self.rows.taps() {
            for column in self.columns.taps() {
                let at = |y: usize, x: usize| (y * self.w + x) * self.channels;
                let (below, right) = (row.share, column.share);
                let corners = [
                    (at(row.first, column.first), (1.0 - below) * (1.0 - right)),
                    (at(row.first, column.second), (1.0 - below) * right),
                    (at(row.second, column.first), below * (1.0 - right)),
                    (at(row.second, column.second), below * right),
                ];
                f(output, corners);
                output += self.channels;
            }
        }
    }
}

impl Op for UpSampleOp {
    fn forward(&self, c: Forward<'_>) {
        let (n, out) = (self.pixels * self.channels, self.rows.len() * self.columns.len() * self.channels);
        for (x, y) in c.inputs[0].chunks_exact(n).zip(c.output.chunks_exact_mut(out)) {
            self.visit(|to, corners| {
                let y = &mut y[to..to + self.channels];
                let [first, rest @ ..] = corners;
                y.iter_mut().zip(&x[first.0..]).for_each(|(y, x)| *y = first.1 * x);
                for (from, weight) in rest.into_iter().filter(|(_, w)| *w != 0.0) {
                    y.iter_mut().zip(&x[from..]).for_each(|(y, x)| *y += weight * x);
                }
            });
        }
    }

    /// The transpose: every output adds to the pixels it came from.
    fn backward(&self, c: Backward<'_, '_>) {
        let Some(dx) = &mut c.d_inputs[0] else { return };
        let (n, out) = (self.pixels * self.channels, self.rows.len() * self.columns.len() * self.channels);
        dx.fill(0.0);
        for (dx, dy) in dx.chunks_exact_mut(n).zip(c.d_output.chunks_exact(out)) {
            self.visit(|from, corners| {
                for (to, weight) in corners.into_iter().filter(|(_, w)| *w != 0.0) {
                    let dx = &mut dx[to..to + self.channels];
                    dx.iter_mut().zip(&dy[from..]).for_each(|(dx, dy)| *dx += weight * dy);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;
    use crate::object::Argument;

    #[test]
    fn pixels_are_repeated() {
        let y = forward(&UpSampling2D::new((1, 2)), &[(&[1, 2, 2], &[1.0, 2.0, 3.0, 4.0])]);
        assert_eq!(y, [1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0]);
    }

    #[test]
    fn lines_run_between_centres() {
        let y = forward(&UpSampling2D::new((1, 2)).interpolation(UpSampling::Bilinear), &[(&[1, 2, 1], &[0.0, 4.0])]);
        assert_eq!(y, [0.0, 1.0, 3.0, 4.0]);
    }

    #[test]
    fn other_interpolations_are_refused() {
        assert_eq!(UpSampling::read(&"bicubic".into()), None);
        assert_eq!(UpSampling::expected(), "one of nearest, bilinear");
        assert!(UpSampling2D::new(0usize).build(&[vec![2, 2, 1]]).unwrap_err().contains("size must be at least 1"));
    }
}
