//! `Resizing`: images of another size.

use super::affine::Interpolation;
use super::arguments::ChannelsLast;
use super::{Built, Layer, Shape, check_size, image};
use crate::object::range;
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation};

keras_layer! {
    /// `[batch, height, width, channels]` of any size → `[batch, height, width, channels]` of this size.
    ///
    /// A bilinear pixel is read at ((i + ½) · in / out − ½) of each axis, a nearest one at ⌊(i + ½) · in / out⌋ (TensorFlow's
    /// `half_pixel_centers`). Keras file: `layers/preprocessing/image_preprocessing/resizing.py`.
    pub struct Resizing("resizing") new(
        /// Rows of the output, at least 1.
        height: usize where range::AT_LEAST_ONE,
        /// Columns of the output, at least 1.
        width: usize where range::AT_LEAST_ONE,
    ) {
        /// Bilinear or nearest; bilinear by default.
        interpolation: Interpolation = Interpolation::Bilinear,
        /// Whether the edges are cut off first, so that the image keeps its aspect ratio; false by default.
        crop_to_aspect_ratio: bool = false,
        /// Channels last, the one order there is.
        data_format: ChannelsLast = ChannelsLast,
    } fixed { pad_to_aspect_ratio: false, fill_mode: "constant", fill_value: 0.0, antialias: false }
}

impl Resizing {
    /// Of height and width: where the part that is resized begins, and how long it is.
    fn part(&self, h: usize, w: usize) -> [(usize, usize); 2] {
        if !self.crop_to_aspect_ratio {
            return [(0, h), (0, w)];
        }
        // Keras rounds down the length that fits.
        let fit = |other: usize, own: usize, target: usize, target_other: usize| {
            let length = (((other * target) as f64 / target_other as f64) as usize).min(own).max(1);
            ((own - length) / 2, length)
        };
        [fit(w, h, self.height, self.width), fit(h, w, self.width, self.height)]
    }
}

impl Layer for Resizing {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let [h, w, channels] = image(inputs)?;
        let (height, width) = (self.height, self.width);
        if height == 0 || width == 0 {
            return Err(format!("height and width must be at least 1, got {height} and {width}"));
        }
        let output = vec![height, width, channels];
        check_size("the output", &output)?;
        let [(top, rows), (left, columns)] = self.part(h, w);
        let op =
            ResizeOp { pixels: h * w, w, channels, rows: self.taps(top, rows, height), columns: self.taps(left, columns, width) };
        Ok(Built::op(op, output))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let [h, w, _] = image(&[call.input_shape().to_vec()])?;
        if self.crop_to_aspect_ratio || !self.height.is_multiple_of(h) || !self.width.is_multiple_of(w) {
            return Err(
                "has a counterpart in this format only where it enlarges by whole factors; resize the images before".into()
            );
        }
        let bilinear = self.interpolation == Interpolation::Bilinear;
        Ok(call.step(Operation::UpSample { size: [self.height / h, self.width / w], bilinear }))
    }
}

/// The two input pixels of an output along an axis, and the share of the second.
#[derive(Clone, Copy, Debug)]
struct Tap {
    at: [usize; 2],
    share: f32,
}

impl Resizing {
    /// The taps of `to` pixels that `length` pixels from `first` on become.
    fn taps(&self, first: usize, length: usize, to: usize) -> Vec<Tap> {
        let scale = length as f32 / to as f32;
        (0..to)
            .map(|i| match self.interpolation {
                Interpolation::Nearest => {
                    let at = first + (((i as f32 + 0.5) * scale) as usize).min(length - 1);
                    Tap { at: [at, at], share: 0.0 }
                }
                Interpolation::Bilinear => {
                    let place = (i as f32 + 0.5) * scale - 0.5;
                    let low = place.floor();
                    let inside = |at: f32| first + (at.max(0.0) as usize).min(length - 1);
                    Tap { at: [inside(low), inside(place.ceil())], share: place - low }
                }
            })
            .collect()
    }
}

#[derive(Debug)]
struct ResizeOp {
    /// Pixels of an input image, and of one of its rows.
    pixels: usize,
    w: usize,
    channels: usize,
    rows: Vec<Tap>,
    columns: Vec<Tap>,
}

impl ResizeOp {
    /// Calls `f(output, input, weight)` for the first value of each pixel that an output pixel of a sample reads.
    fn each(&self, mut f: impl FnMut(usize, usize, f32)) {
        let mut output = 0;
        for row in &self.rows {
            for column in &self.columns {
                for (y, down) in row.at.into_iter().zip([1.0 - row.share, row.share]) {
                    for (x, across) in column.at.into_iter().zip([1.0 - column.share, column.share]) {
                        f(output, (y * self.w + x) * self.channels, down * across);
                    }
                }
                output += self.channels;
            }
        }
    }

    fn lengths(&self) -> (usize, usize) {
        (self.pixels * self.channels, self.rows.len() * self.columns.len() * self.channels)
    }
}

impl Op for ResizeOp {
    fn forward(&self, c: Forward<'_>) {
        let (len, out) = self.lengths();
        c.output.fill(0.0);
        for (x, y) in c.inputs[0].chunks_exact(len).zip(c.output.chunks_exact_mut(out)) {
            self.each(|to, from, weight| {
                for channel in 0..self.channels {
                    y[to + channel] += weight * x[from + channel];
                }
            });
        }
    }

    fn backward(&self, c: Backward<'_, '_>) {
        let Some(dx) = &mut c.d_inputs[0] else { return };
        let (len, out) = self.lengths();
        dx.fill(0.0);
        for (dy, dx) in c.d_output.chunks_exact(out).zip(dx.chunks_exact_mut(len)) {
            self.each(|from, to, weight| {
                for channel in 0..self.channels {
                    dx[to + channel] += weight * dy[from + channel];
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn sizes_that_do_not_fit_are_named() {
        assert_eq!(Resizing::new(0, 4).build(&[vec![2, 2, 1]]).unwrap_err(), "height and width must be at least 1, got 0 and 4");
        assert!(Resizing::new(2, 2).build(&[vec![4]]).unwrap_err().contains("(None, 4)"));
    }

    #[test]
    fn a_wide_image_loses_its_sides() {
        let x: Vec<f32> = (0..8).map(|v| v as f32).collect();
        let layer = Resizing::new(2, 2).crop_to_aspect_ratio(true);
        assert_eq!(forward(&layer, &[(&[2, 4, 1], &x)]), [1.0, 2.0, 5.0, 6.0]);
    }
}
