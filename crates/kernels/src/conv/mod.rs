//! Two-dimensional convolutions of samples `[h, w, c_in]` (channels last) by kernels `[kh, kw, c_in / groups, c_out]`.
//!
//! One thread, any number of samples: the callers share samples out among threads. Nothing is allocated: the caller lends scratch space of
//! exactly [`Conv2d::scratch_len`] values. ([`Conv2d::forward_one`] alone uses several threads; each keeps the planes of its blocks for
//! itself, allocated the first time and as large as the largest convolution it has met.) A sample's result depends on nothing but the
//! sample and the weights; `backward` adds up samples in order.
//!
//! Where it pays, `winograd` computes all passes. Elsewhere they are sums over windows of a zero-padded copy of the sample:
//! the input gradient correlates the padded output gradient with the flipped kernel, the weight gradient sums over pixels
//! instead of taps.

mod depthwise;
mod image;
mod pack;
mod pass;
mod plan;
mod scatter;
mod shape;
mod window;
mod winograd;

use crate::isa::{self, Isa};
use crate::pool::Pool;
use crate::tile;
use plan::{Backward, Forward};
use winograd::Winograd;

pub use pass::{BackwardPass, ForwardPass, WeightGradients, Weights};
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

    /// How many `f32` of scratch space every pass is lent.
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

    /// `y = act(x * w + bias)`; overwrites `y`.
    ///
    /// # Panics
    /// When a slice has another length than [`ForwardPass`] says.
    pub fn forward(&self, pass: ForwardPass) {
        self.forward_with(isa::active(), pass);
    }

    /// [`Self::forward`] by the kernels of `isa`.
    ///
    /// # Panics
    /// As [`Self::forward`], and when this processor lacks `isa`.
    pub fn forward_with(&self, isa: Isa, pass: ForwardPass) {
        self.check_forward(isa, &pass);
        if pass.y.is_empty() {
            return;
        }
        if let Some(winograd) = &self.winograd {
            return winograd.forward(isa, pass);
        }
        let (shape, ForwardPass { x, weights, y, scratch, .. }) = (&self.shape, pass);
        let weights = Weights { packed: &weights.packed[..self.forward.packed_len(shape)], ..weights };
        for (x, y) in x.chunks_exact(shape.input_len()).zip(y.chunks_exact_mut(shape.output_len())) {
            let image = image::padded_input(shape, x, scratch);
            match &self.forward {
                Forward::Windows(windows) => windows.correlate(isa, image, weights, y),
                Forward::Depthwise(windows) => windows.correlate(isa, image, weights, y),
            }
        }
    }

    /// [`Self::forward`] for a single sample, on all threads where that pays; the same bits.
    ///
    /// # Panics
    /// As [`Self::forward`], and when there is not one sample.
    pub fn forward_one(&self, pool: &Pool, pass: ForwardPass) {
        let isa = isa::active();
        assert_eq!(pass.samples, 1, "Conv2d::forward_one: the number of samples");
        match &self.winograd {
            Some(winograd) if winograd.has_several_blocks() => {
                self.check_forward(isa, &pass);
                winograd.forward_one(isa, pool, pass);
            }
            _ => self.forward_with(isa, pass),
        }
    }

    /// The gradients with respect to weights, bias and input.
    ///
    /// # Panics
    /// When a slice has another length than [`BackwardPass`] says.
    pub fn backward(&self, pass: BackwardPass) {
        self.backward_with(isa::active(), pass);
    }

    /// [`Self::backward`] by the kernels of `isa`.
    ///
    /// # Panics
    /// As [`Self::backward`], and when this processor lacks `isa`.
    pub fn backward_with(&self, isa: Isa, mut pass: BackwardPass) {
        let shape = &self.shape;
        let x =
            if pass.x.is_empty() && pass.weights.is_none() { pass.dx.as_ref().map_or(0, |dx| dx.len()) } else { pass.x.len() };
        self.check(isa, "backward", pass.samples, x, ("dy", pass.dy.len()), pass.packed.len(), pass.scratch.len());
        if let Some(dx) = &pass.dx {
            assert_eq!(dx.len(), x, "Conv2d::backward: the elements of dx");
        }
        if let Some(WeightGradients { dw, db, accumulate }) = &mut pass.weights {
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
        if pass.dy.is_empty() {
            if let Some(dx) = &mut pass.dx {
                dx.fill(0.0);
            }
            return;
        }
        if let Some(db) = pass.weights.as_mut().and_then(|weights| weights.db.as_mut()) {
            pass.dy.chunks_exact(shape.output_len()).for_each(|dy| tile::add_rows(isa, dy, db));
        }
        if let Some(winograd) = &self.winograd {
            return winograd.backward(isa, pass);
        }
        if let Some(weights) = pass.weights {
            self.weight_gradient(isa, pass.x, pass.dy, weights.dw, pass.scratch);
        }
        if let Some(dx) = pass.dx {
            self.input_gradient(isa, pass.dy, pass.packed, dx, pass.scratch);
        }
    }

    /// Overwrites `dx`.
    fn input_gradient(&self, isa: Isa, dy: &[f32], packed: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
        let shape = &self.shape;
        let weights = Weights { packed: &packed[self.forward.packed_len(shape)..], bias: None, relu: false };
        for (dy, dx) in dy.chunks_exact(shape.output_len()).zip(dx.chunks_exact_mut(shape.input_len())) {
            match &self.backward {
                Backward::Windows(windows) => windows.correlate(isa, image::padded_gradient(shape, dy, scratch), weights, dx),
                Backward::Scatter(scatter) => scatter.run(isa, shape, dy, weights.packed, dx),
                Backward::Depthwise(windows) => windows.correlate(isa, image::padded_gradient(shape, dy, scratch), weights, dx),
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

    fn check_forward(&self, isa: Isa, pass: &ForwardPass) {
        let ForwardPass { samples, x, weights, y, scratch } = pass;
        self.check(isa, "forward", *samples, x.len(), ("y", y.len()), weights.packed.len(), scratch.len());
        assert!(weights.bias.is_none_or(|bias| bias.len() == self.shape.c_out), "Conv2d::forward: the length of the bias");
    }

    #[allow(clippy::too_many_arguments, reason = "lengths that both passes have")]
    fn check(&self, isa: Isa, pass: &str, n: usize, x: usize, (name, y): (&str, usize), packed: usize, scratch: usize) {
        let shape = &self.shape;
        assert!(isa.is_available(), "Conv2d::{pass}: this processor has no {isa}");
        assert_eq!(x, n * shape.input_len(), "Conv2d::{pass}: the elements of x for {n} samples");
        assert_eq!(y, n * shape.output_len(), "Conv2d::{pass}: the elements of {name} for {n} samples");
        assert_eq!(packed, self.packed_len(), "Conv2d::{pass}: the length of packed");
        assert_eq!(scratch, self.scratch_len(), "Conv2d::{pass}: the length of scratch");
    }
}

#[cfg(test)]
mod tests;
