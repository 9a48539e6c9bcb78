//! The geometry of two-dimensional pooling.

use std::ops::Range;

/// What is pooled and how: the same for forward and backward. Pairs are (vertical, horizontal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pool2dShape {
    /// Height of an image.
    pub h: usize,
    /// Width of an image.
    pub w: usize,
    /// Channels.
    pub c: usize,
    /// The window's (height, width).
    pub pool: (usize, usize),
    /// The steps between windows, (down, right).
    pub stride: (usize, usize),
    /// Padding before the first (row, column); what comes after the last follows from the rest.
    pub pad: (usize, usize),
    /// Height of the output.
    pub out_h: usize,
    /// Width of the output.
    pub out_w: usize,
}

impl Pool2dShape {
    /// Keras' `padding="valid"`: only whole windows. The output is empty when the window exceeds the image.
    ///
    /// # Panics
    /// When a stride is 0.
    pub fn valid(h: usize, w: usize, c: usize, pool: (usize, usize), stride: (usize, usize)) -> Pool2dShape {
        let out = |size: usize, pool: usize, stride: usize| if size < pool { 0 } else { (size - pool) / stride + 1 };
        Pool2dShape { h, w, c, pool, stride, pad: (0, 0), out_h: out(h, pool.0, stride.0), out_w: out(w, pool.1, stride.1) }
    }

    /// Keras' `padding="same"`: `⌈size / stride⌉` outputs, an odd padding has its larger part at the end.
    ///
    /// # Panics
    /// When a stride is 0.
    pub fn same(h: usize, w: usize, c: usize, pool: (usize, usize), stride: (usize, usize)) -> Pool2dShape {
        let (out_h, out_w) = (h.div_ceil(stride.0), w.div_ceil(stride.1));
        let before = |size: usize, out: usize, pool: usize, stride: usize| {
            (out.saturating_sub(1) * stride + pool).saturating_sub(size) / 2
        };
        let pad = (before(h, out_h, pool.0, stride.0), before(w, out_w, pool.1, stride.1));
        Pool2dShape { h, w, c, pool, stride, pad, out_h, out_w }
    }

    /// Elements of one input image.
    pub fn input_len(&self) -> usize {
        self.h * self.w * self.c
    }

    /// Elements of one output image.
    pub fn output_len(&self) -> usize {
        self.out_h * self.out_w * self.c
    }

    /// Panics unless every window holds an element and the slices have the lengths of `n` inputs and `n` outputs.
    pub(super) fn check(&self, name: &str, n: usize, inputs: &[usize], outputs: &[usize]) {
        let axis = |size: usize, pool: usize, stride: usize, pad: usize, out: usize| {
            pool > 0 && stride > 0 && (out == 0 || (pad < pool && (out - 1) * stride < size + pad))
        };
        assert!(
            axis(self.h, self.pool.0, self.stride.0, self.pad.0, self.out_h)
                && axis(self.w, self.pool.1, self.stride.1, self.pad.1, self.out_w),
            "{name}: a window without an element in {self:?}"
        );
        let product = |axes: [usize; 4]| axes.iter().try_fold(1usize, |a, &b| a.checked_mul(b));
        let input = product([n, self.h, self.w, self.c]);
        let output = product([n, self.out_h, self.out_w, self.c]);
        assert!(
            inputs.iter().all(|len| Some(*len) == input) && outputs.iter().all(|len| Some(*len) == output),
            "{name}: lengths {inputs:?} and {outputs:?} do not fit {n} samples of {self:?}"
        );
    }

    /// The rows of the image that the windows of output row `i` cover; never empty.
    #[inline(always)]
    pub(super) fn rows(&self, i: usize) -> Range<usize> {
        covered(i, self.h, self.pool.0, self.stride.0, self.pad.0)
    }

    /// The columns of the image that the windows of output column `j` cover; never empty.
    #[inline(always)]
    pub(super) fn columns(&self, j: usize) -> Range<usize> {
        covered(j, self.w, self.pool.1, self.stride.1, self.pad.1)
    }

    /// Whether windows are 2×2, side by side, and whole.
    #[inline(always)]
    pub(super) fn is_two_by_two(&self) -> bool {
        self.pool == (2, 2) && self.stride == (2, 2) && self.pad == (0, 0) && 2 * self.out_h <= self.h && 2 * self.out_w <= self.w
    }
}

#[inline(always)]
fn covered(i: usize, size: usize, pool: usize, stride: usize, pad: usize) -> Range<usize> {
    let start = i * stride;
    start.saturating_sub(pad)..(start + pool - pad).min(size)
}

/// Panics unless `spatial` ≥ 1 and the slices hold [n, spatial, c] and [n, c].
pub(super) fn check_global(name: &str, n: usize, spatial: usize, c: usize, input: usize, outputs: &[usize]) {
    assert!(spatial > 0, "{name}: nothing to pool over");
    let output = n.checked_mul(c);
    assert!(
        output.and_then(|len| len.checked_mul(spatial)) == Some(input) && outputs.iter().all(|len| Some(*len) == output),
        "{name}: lengths {input} and {outputs:?} do not fit [{n}, {spatial}, {c}]"
    );
}
