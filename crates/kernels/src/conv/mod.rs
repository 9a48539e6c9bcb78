//! Two-dimensional convolutions of samples `[h, w, c_in]` (channels last) by kernels `[kh, kw, c_in / groups, c_out]`.
//!
//! One thread, any number of samples: the callers share samples out among threads. Nothing is allocated; the caller lends
//! scratch space. A sample's result depends on nothing but the sample and the weights; `backward_weights` adds up samples
//! in order.
//!
//! All passes are sums over windows of a zero-padded copy of the sample: the input gradient correlates the padded output
//! gradient with the flipped kernel, the weight gradient sums over pixels instead of taps.

mod shape;
mod window;

use crate::isa::{self, Isa};
use window::{Weights, Windows};

pub use shape::{Conv2dShape, Padding};

/// A convolution of a given shape, and the way it is computed.
#[derive(Clone, Debug)]
pub struct Conv2d {
    shape: Conv2dShape,
    forward: Windows,
    backward: Windows,
    /// Where the windows of each output row start in the padded input.
    pixel_rows: Vec<usize>,
}

impl Conv2d {
    /// Prepares a convolution.
    ///
    /// # Panics
    /// When the kernel, a stride, a dilation or a channel count is 0, or `groups` does not divide the channels.
    pub fn new(shape: Conv2dShape) -> Self {
        shape.check();
        let pitch = shape.padded_w() * shape.c_in;
        let kernel = (shape.kh, shape.kw);
        let (segments, depth) = window::segments(kernel, shape.dilation, pitch, shape.c_in, shape.groups);
        let forward = Windows {
            pitch,
            channels: shape.c_in,
            groups: shape.groups,
            out_h: shape.out_h(),
            out_w: shape.out_w(),
            c_out: shape.c_out,
            stride: shape.stride,
            segments,
            depth,
            panel: window::panel_of(shape.group_out(), shape.out_w()),
        };
        let pitch = (shape.w + (shape.kw - 1) * shape.dilation.1) * shape.c_out;
        let (segments, depth) = window::segments(kernel, shape.dilation, pitch, shape.c_out, shape.groups);
        let backward = Windows {
            pitch,
            channels: shape.c_out,
            groups: shape.groups,
            out_h: shape.h,
            out_w: shape.w,
            c_out: shape.c_in,
            stride: (1, 1),
            segments,
            depth,
            panel: window::panel_of(shape.group_in(), shape.w),
        };
        let pixel_rows = (0..shape.out_h()).map(|y| y * shape.stride.0 * forward.pitch).collect();
        Self { shape, forward, backward, pixel_rows }
    }

    /// The shape it was made for.
    pub fn shape(&self) -> &Conv2dShape {
        &self.shape
    }

    /// How many `f32` of scratch space every pass needs.
    pub fn scratch_len(&self) -> usize {
        let shape = &self.shape;
        let input = if shape.pad == Padding::default() { 0 } else { shape.padded_h() * self.forward.pitch };
        input.max((shape.h + (shape.kh - 1) * shape.dilation.0) * self.backward.pitch)
    }

    /// How many `f32` the packed weights take.
    pub fn packed_len(&self) -> usize {
        self.forward.packed_len() + self.backward.packed_len()
    }

    /// Lays out the weights `w` (`[kh, kw, c_in / groups, c_out]`) as `forward` and `backward_input` read them.
    ///
    /// # Panics
    /// When `w` is not a kernel of the shape, or `packed` is not [`Self::packed_len`] long.
    pub fn pack(&self, w: &[f32], packed: &mut [f32]) {
        let shape = &self.shape;
        assert_eq!(w.len(), shape.kernel_len(), "Conv2d::pack: the elements of w");
        assert_eq!(packed.len(), self.packed_len(), "Conv2d::pack: the length of packed");
        let (forward, backward) = packed.split_at_mut(self.forward.packed_len());
        let (c_in, c_out) = (shape.group_in(), shape.group_out());
        self.forward.pack(forward, |group, tap, column| w[tap * shape.c_out + group * c_out + column]);
        let pixels = shape.kh * shape.kw;
        self.backward.pack(backward, |group, tap, column| {
            let (pixel, channel) = (pixels - 1 - tap / c_out, tap % c_out);
            w[(pixel * c_in + column) * shape.c_out + group * c_out + channel]
        });
    }

    /// `y = act(x * w + bias)` for `n` samples; overwrites `y`.
    ///
    /// `x` is `[n, h, w, c_in]`, `packed` what [`Self::pack`] made of the weights, `bias` is `[c_out]`, `relu` replaces
    /// negative results by 0, `y` is `[n, out_h, out_w, c_out]`.
    ///
    /// # Panics
    /// When a slice has another length; `scratch` may be longer than [`Self::scratch_len`].
    #[allow(clippy::too_many_arguments)]
    pub fn forward(
        &self,
        n: usize,
        x: &[f32],
        packed: &[f32],
        bias: Option<&[f32]>,
        relu: bool,
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        self.forward_with(isa::active(), n, x, packed, bias, relu, y, scratch);
    }

    /// [`Self::forward`] by the kernels of `isa`.
    ///
    /// # Panics
    /// As [`Self::forward`], and when this processor lacks `isa`.
    #[allow(clippy::too_many_arguments)]
    pub fn forward_with(
        &self,
        isa: Isa,
        n: usize,
        x: &[f32],
        packed: &[f32],
        bias: Option<&[f32]>,
        relu: bool,
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        let shape = &self.shape;
        self.check(isa, "forward", n, ("x", x.len()), ("y", y.len()), scratch.len());
        assert_eq!(packed.len(), self.packed_len(), "Conv2d::forward: the length of packed");
        assert!(bias.is_none_or(|bias| bias.len() == shape.c_out), "Conv2d::forward: the length of the bias");
        if y.is_empty() {
            return;
        }
        let weights = Weights { packed: &packed[..self.forward.packed_len()], bias, relu };
        for (x, y) in x.chunks_exact(shape.input_len()).zip(y.chunks_exact_mut(shape.output_len())) {
            let image = self.padded_input(x, scratch);
            self.forward.correlate(isa, image, weights, y);
        }
    }

    /// The gradient with respect to the input, for `n` samples; overwrites `dx`.
    ///
    /// `dy` is `[n, out_h, out_w, c_out]`, `packed` what [`Self::pack`] made of the weights, `dx` is `[n, h, w, c_in]`.
    ///
    /// # Panics
    /// When a slice has another length; `scratch` may be longer than [`Self::scratch_len`].
    pub fn backward_input(&self, n: usize, dy: &[f32], packed: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
        self.backward_input_with(isa::active(), n, dy, packed, dx, scratch);
    }

    /// [`Self::backward_input`] by the kernels of `isa`.
    ///
    /// # Panics
    /// As [`Self::backward_input`], and when this processor lacks `isa`.
    pub fn backward_input_with(&self, isa: Isa, n: usize, dy: &[f32], packed: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
        let shape = &self.shape;
        self.check(isa, "backward_input", n, ("dx", dx.len()), ("dy", dy.len()), scratch.len());
        assert_eq!(packed.len(), self.packed_len(), "Conv2d::backward_input: the length of packed");
        if dy.is_empty() {
            dx.fill(0.0);
            return;
        }
        let weights = Weights { packed: &packed[self.forward.packed_len()..], bias: None, relu: false };
        for (dy, dx) in dy.chunks_exact(shape.output_len()).zip(dx.chunks_exact_mut(shape.input_len())) {
            let image = self.padded_gradient(dy, scratch);
            self.backward.correlate(isa, image, weights, dx);
        }
    }

    /// The gradients with respect to weights and bias, summed over `n` samples in order; overwrites `dw` and `db`, or
    /// adds to them when `accumulate`.
    ///
    /// `x` is `[n, h, w, c_in]`, `dy` is `[n, out_h, out_w, c_out]`, `dw` is `[kh, kw, c_in / groups, c_out]`, `db` is
    /// `[c_out]`.
    ///
    /// # Panics
    /// When a slice has another length; `scratch` may be longer than [`Self::scratch_len`].
    #[allow(clippy::too_many_arguments)]
    pub fn backward_weights(
        &self,
        n: usize,
        x: &[f32],
        dy: &[f32],
        dw: &mut [f32],
        db: Option<&mut [f32]>,
        accumulate: bool,
        scratch: &mut [f32],
    ) {
        self.backward_weights_with(isa::active(), n, x, dy, dw, db, accumulate, scratch);
    }

    /// [`Self::backward_weights`] by the kernels of `isa`.
    ///
    /// # Panics
    /// As [`Self::backward_weights`], and when this processor lacks `isa`.
    #[allow(clippy::too_many_arguments)]
    pub fn backward_weights_with(
        &self,
        isa: Isa,
        n: usize,
        x: &[f32],
        dy: &[f32],
        dw: &mut [f32],
        mut db: Option<&mut [f32]>,
        accumulate: bool,
        scratch: &mut [f32],
    ) {
        let shape = &self.shape;
        self.check(isa, "backward_weights", n, ("x", x.len()), ("dy", dy.len()), scratch.len());
        assert_eq!(dw.len(), shape.kernel_len(), "Conv2d::backward_weights: the elements of dw");
        let db_len = db.as_ref().map_or(shape.c_out, |db| db.len());
        assert_eq!(db_len, shape.c_out, "Conv2d::backward_weights: the elements of db");
        if !accumulate {
            dw.fill(0.0);
            if let Some(db) = &mut db {
                db.fill(0.0);
            }
        }
        if dy.is_empty() {
            return;
        }
        for (x, dy) in x.chunks_exact(shape.input_len()).zip(dy.chunks_exact(shape.output_len())) {
            let image = self.padded_input(x, scratch);
            self.forward.gradient(isa, image, dy, &self.pixel_rows, dw);
            if let Some(db) = &mut db {
                for pixel in dy.chunks_exact(shape.c_out) {
                    db.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
                }
            }
        }
    }

    fn check(&self, isa: Isa, pass: &str, n: usize, x: (&str, usize), y: (&str, usize), scratch: usize) {
        assert!(isa.is_available(), "Conv2d::{pass}: this processor has no {isa}");
        let shape = &self.shape;
        // The gradient pass names its output x first as well: x stands for the input side, y for the output side.
        assert_eq!(x.1, n * shape.input_len(), "Conv2d::{pass}: the elements of {} for {n} samples", x.0);
        assert_eq!(y.1, n * shape.output_len(), "Conv2d::{pass}: the elements of {} for {n} samples", y.0);
        let needed = self.scratch_len();
        assert!(scratch >= needed, "Conv2d::{pass}: scratch has {scratch} elements, {needed} are needed");
    }

    /// The sample with zeros around it; the sample itself where there are none.
    fn padded_input<'a>(&self, x: &'a [f32], scratch: &'a mut [f32]) -> &'a [f32] {
        let shape = &self.shape;
        if shape.pad == Padding::default() {
            return x;
        }
        let (pitch, row_len) = (self.forward.pitch, shape.w * shape.c_in);
        let image = &mut scratch[..shape.padded_h() * pitch];
        let left = shape.pad.left * shape.c_in;
        image[..shape.pad.top * pitch].fill(0.0);
        let body = &mut image[shape.pad.top * pitch..];
        for (source, row) in x.chunks_exact(row_len).zip(body.chunks_exact_mut(pitch)) {
            row[..left].fill(0.0);
            row[left..left + row_len].copy_from_slice(source);
            row[left + row_len..].fill(0.0);
        }
        body[shape.h * pitch..].fill(0.0);
        image
    }

    /// The output gradient, spread out by the stride, with the zeros around it that make every window of the flipped
    /// kernel whole.
    fn padded_gradient<'a>(&self, dy: &[f32], scratch: &'a mut [f32]) -> &'a [f32] {
        let shape = &self.shape;
        let (pitch, c) = (self.backward.pitch, shape.c_out);
        let height = shape.h + (shape.kh - 1) * shape.dilation.0;
        let image = &mut scratch[..height * pitch];
        image.fill(0.0);
        // Output (y, x) belongs at (y · stride + margin - pad), as far as that is inside.
        let place = |at: usize, stride: usize, margin: usize, pad: usize, size: usize| {
            (at * stride + margin).checked_sub(pad).filter(|&to| to < size)
        };
        let width = pitch / c;
        for (y, row) in dy.chunks_exact(shape.out_w() * c).enumerate() {
            let margin = (shape.kh - 1) * shape.dilation.0;
            let Some(to_y) = place(y, shape.stride.0, margin, shape.pad.top, height) else { continue };
            for (x, pixel) in row.chunks_exact(c).enumerate() {
                let margin = (shape.kw - 1) * shape.dilation.1;
                let Some(to_x) = place(x, shape.stride.1, margin, shape.pad.left, width) else { continue };
                image[to_y * pitch + to_x * c..][..c].copy_from_slice(pixel);
            }
        }
        image
    }
}

#[cfg(test)]
mod tests;
