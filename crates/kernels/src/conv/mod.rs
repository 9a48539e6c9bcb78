//! Two-dimensional convolutions of samples `[h, w, c_in]` (channels last) by kernels `[kh, kw, c_in / groups, c_out]`.
//!
//! One thread, any number of samples: the callers share samples out among threads. Nothing is allocated; the caller lends
//! scratch space. A sample's result depends on nothing but the sample and the weights; `backward` adds up samples in
//! order.
//!
//! Where it pays, `winograd` computes all passes. Elsewhere they are sums over windows of a zero-padded copy of the sample:
//! the input gradient correlates the padded output gradient with the flipped kernel, the weight gradient sums over pixels
//! instead of taps.

mod depthwise;
mod image;
mod pack;
mod plan;
mod scatter;
mod shape;
mod window;
mod winograd;

use crate::isa::{self, Isa};
use crate::pool::Pool;
use crate::tile;
use plan::{Backward, Forward};
use window::Weights;
use winograd::Winograd;

pub use shape::{Conv2dShape, Padding};

/// A convolution of a given shape, and the way it is computed.
#[derive(Clone, Debug)]
pub struct Conv2d {
    shape: Conv2dShape,
    forward: Forward,
    backward: Backward,
    /// Instead of both, where that is faster.
    winograd: Option<Winograd>,
}

/// Where [`Conv2d::backward`] puts the gradients of the weights.
#[derive(Debug)]
pub struct WeightGradients<'a> {
    /// Of the kernel, `[kh, kw, c_in / groups, c_out]`.
    pub dw: &'a mut [f32],
    /// Of the bias, `[c_out]`.
    pub db: Option<&'a mut [f32]>,
    /// Whether to add to what is there instead of overwriting it.
    pub accumulate: bool,
}

impl Conv2d {
    /// Prepares a convolution.
    ///
    /// # Panics
    /// When the kernel, a stride, a dilation or a channel count is 0, or `groups` does not divide the channels.
    pub fn new(shape: Conv2dShape) -> Self {
        let winograd = Winograd::new(&shape);
        Self { winograd, ..Self::direct(shape) }
    }

    /// As [`Self::new`], but every product is computed as the definition has it: slower for many channels, a little more exact.
    ///
    /// # Panics
    /// As [`Self::new`].
    pub fn direct(shape: Conv2dShape) -> Self {
        shape.check();
        Self { shape, forward: Forward::new(&shape), backward: Backward::new(&shape), winograd: None }
    }

    /// The shape it was made for.
    pub fn shape(&self) -> &Conv2dShape {
        &self.shape
    }

    /// How many `f32` of scratch space every pass needs.
    pub fn scratch_len(&self) -> usize {
        if let Some(winograd) = &self.winograd {
            return winograd.scratch_len();
        }
        let shape = &self.shape;
        let unpadded = shape.pad == Padding::default();
        let input = if unpadded { 0 } else { shape.padded_h() * shape.padded_w() * shape.c_in };
        let pairs = self.forward.pairs_len();
        let gradient = match &self.backward {
            Backward::Windows(_) | Backward::Depthwise(_) => {
                let (height, width) = image::gradient_size(shape);
                height * width * shape.c_out
            }
            Backward::Scatter(_) => 0,
        };
        gradient.max(input + pairs)
    }

    /// How many `f32` the packed weights take.
    pub fn packed_len(&self) -> usize {
        let direct = || self.forward.packed_len(&self.shape) + self.backward.packed_len(&self.shape);
        self.winograd.as_ref().map_or_else(direct, Winograd::packed_len)
    }

    /// Lays out the weights `w` (`[kh, kw, c_in / groups, c_out]`) as `forward` and `backward` read them.
    ///
    /// # Panics
    /// When `w` is not a kernel of the shape, or `packed` is not [`Self::packed_len`] long.
    pub fn pack(&self, w: &[f32], packed: &mut [f32]) {
        let shape = &self.shape;
        assert_eq!(w.len(), shape.kernel_len(), "Conv2d::pack: the elements of w");
        assert_eq!(packed.len(), self.packed_len(), "Conv2d::pack: the length of packed");
        if let Some(winograd) = &self.winograd {
            return winograd.pack(isa::active(), w, packed);
        }
        let (forward, backward) = packed.split_at_mut(self.forward.packed_len(shape));
        match &self.forward {
            Forward::Windows(windows) => windows.pack(w, forward),
            Forward::Depthwise(_) => forward.copy_from_slice(w),
        }
        match &self.backward {
            Backward::Windows(windows) => windows.pack_flipped(w, backward),
            Backward::Scatter(scatter) => scatter.pack(shape, w, backward),
            Backward::Depthwise(_) => {
                let flipped = w.chunks_exact(shape.c_out).rev();
                backward.chunks_exact_mut(shape.c_out).zip(flipped).for_each(|(to, from)| to.copy_from_slice(from));
            }
        }
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
        self.check_forward(isa, n, x, packed, bias, y, scratch);
        if y.is_empty() {
            return;
        }
        if let Some(winograd) = &self.winograd {
            return winograd.forward(isa, x, packed, bias, relu, y, scratch);
        }
        let packed = &packed[..self.forward.packed_len(shape)];
        for (x, y) in x.chunks_exact(shape.input_len()).zip(y.chunks_exact_mut(shape.output_len())) {
            let image = image::padded_input(shape, x, scratch);
            match &self.forward {
                Forward::Windows(windows) => windows.correlate(isa, image, Weights { packed, bias, relu }, y),
                Forward::Depthwise(windows) => windows.correlate(isa, image, packed, bias, relu, y),
            }
        }
    }

    /// [`Self::forward`] for a single sample, on all threads where that pays; the same bits.
    ///
    /// # Panics
    /// As [`Self::forward`].
    #[allow(clippy::too_many_arguments)]
    pub fn forward_one(
        &self,
        pool: &Pool,
        x: &[f32],
        packed: &[f32],
        bias: Option<&[f32]>,
        relu: bool,
        y: &mut [f32],
        scratch: &mut [f32],
    ) {
        let isa = isa::active();
        match &self.winograd {
            Some(winograd) if winograd.has_several_blocks() => {
                self.check_forward(isa, 1, x, packed, bias, y, scratch);
                winograd.forward_one(isa, pool, x, packed, (bias, relu), y, scratch);
            }
            _ => self.forward_with(isa, 1, x, packed, bias, relu, y, scratch),
        }
    }

    /// The gradients, for `n` samples: with respect to weights and bias summed over the samples in order, and with respect
    /// to the input, which overwrites `dx`.
    ///
    /// `x` is `[n, h, w, c_in]`, `dy` is `[n, out_h, out_w, c_out]`, `packed` what [`Self::pack`] made of the weights, `dx`
    /// is `[n, h, w, c_in]`.
    ///
    /// # Panics
    /// When a slice has another length; `scratch` may be longer than [`Self::scratch_len`].
    #[allow(clippy::too_many_arguments)]
    pub fn backward(
        &self,
        n: usize,
        x: &[f32],
        dy: &[f32],
        packed: &[f32],
        weights: Option<WeightGradients>,
        dx: Option<&mut [f32]>,
        scratch: &mut [f32],
    ) {
        self.backward_with(isa::active(), n, x, dy, packed, weights, dx, scratch);
    }

    /// [`Self::backward`] by the kernels of `isa`.
    ///
    /// # Panics
    /// As [`Self::backward`], and when this processor lacks `isa`.
    #[allow(clippy::too_many_arguments)]
    pub fn backward_with(
        &self,
        isa: Isa,
        n: usize,
        x: &[f32],
        dy: &[f32],
        packed: &[f32],
        mut weights: Option<WeightGradients>,
        mut dx: Option<&mut [f32]>,
        scratch: &mut [f32],
    ) {
        let shape = &self.shape;
        self.check(isa, "backward", n, ("x", x.len()), ("dy", dy.len()), scratch.len());
        assert_eq!(packed.len(), self.packed_len(), "Conv2d::backward: the length of packed");
        if let Some(dx) = &dx {
            assert_eq!(dx.len(), x.len(), "Conv2d::backward: the elements of dx");
        }
        if let Some(WeightGradients { dw, db, accumulate }) = &mut weights {
            assert_eq!(dw.len(), shape.kernel_len(), "Conv2d::backward: the elements of dw");
            let db_len = db.as_ref().map_or(shape.c_out, |db| db.len());
            assert_eq!(db_len, shape.c_out, "Conv2d::backward: the elements of db");
            if !*accumulate {
                dw.fill(0.0);
                if let Some(db) = db {
                    db.fill(0.0);
                }
            }
        }
        if dy.is_empty() {
            if let Some(dx) = &mut dx {
                dx.fill(0.0);
            }
            return;
        }
        if let Some(db) = weights.as_mut().and_then(|weights| weights.db.as_mut()) {
            dy.chunks_exact(shape.output_len()).for_each(|dy| tile::add_rows(isa, dy, db));
        }
        let dw = weights.map(|weights| weights.dw);
        if let Some(winograd) = &self.winograd {
            return winograd.backward(isa, x, dy, packed, dw, dx, scratch);
        }
        if let Some(dw) = dw {
            self.weight_gradient(isa, x, dy, dw, scratch);
        }
        if let Some(dx) = dx {
            self.input_gradient(isa, dy, packed, dx, scratch);
        }
    }

    /// Overwrites `dx`.
    fn input_gradient(&self, isa: Isa, dy: &[f32], packed: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
        let shape = &self.shape;
        let packed = &packed[self.forward.packed_len(shape)..];
        for (dy, dx) in dy.chunks_exact(shape.output_len()).zip(dx.chunks_exact_mut(shape.input_len())) {
            match &self.backward {
                Backward::Windows(windows) => {
                    let weights = Weights { packed, bias: None, relu: false };
                    windows.correlate(isa, image::padded_gradient(shape, dy, scratch), weights, dx);
                }
                Backward::Scatter(scatter) => scatter.run(isa, shape, dy, packed, dx),
                Backward::Depthwise(windows) => {
                    let image = image::padded_gradient(shape, dy, scratch);
                    windows.correlate(isa, image, packed, None, false, dx);
                }
            }
        }
    }

    /// Adds to `dw`.
    fn weight_gradient(&self, isa: Isa, x: &[f32], dy: &[f32], dw: &mut [f32], scratch: &mut [f32]) {
        let shape = &self.shape;
        let (pairs, scratch) = scratch.split_at_mut(self.forward.pairs_len());
        pairs.fill(0.0);
        for (x, dy) in x.chunks_exact(shape.input_len()).zip(dy.chunks_exact(shape.output_len())) {
            let image = image::padded_input(shape, x, scratch);
            let target = if pairs.is_empty() { &mut *dw } else { &mut *pairs };
            match &self.forward {
                Forward::Windows(windows) => windows.gradient(isa, image, dy, target),
                Forward::Depthwise(windows) => windows.gradient(isa, image, dy, target),
            }
        }
        if let Forward::Windows(windows) = &self.forward
            && !pairs.is_empty()
        {
            windows.fold(pairs, dw);
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn check_forward(&self, isa: Isa, n: usize, x: &[f32], packed: &[f32], bias: Option<&[f32]>, y: &[f32], scratch: &[f32]) {
        self.check(isa, "forward", n, ("x", x.len()), ("y", y.len()), scratch.len());
        assert_eq!(packed.len(), self.packed_len(), "Conv2d::forward: the length of packed");
        assert!(bias.is_none_or(|bias| bias.len() == self.shape.c_out), "Conv2d::forward: the length of the bias");
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
}

#[cfg(test)]
mod tests;
