//! Max and average pooling over [n, h, w, c] (channels last), and over whole images.
//!
//! Padding never counts: a maximum ignores it, an average divides by the real elements only (TensorFlow's `same`, as Keras' on it).

mod average;
mod maximum;
mod scalar;
mod shape;

pub use shape::Pool2dShape;

use crate::arch::Arch;
use crate::isa::{self, Isa, with};
use crate::versions::{kernels, require};

/// The gradient of [`max_forward`] (overwrites `dx`): `dy` goes to the first maximum of its window in row-major order, as in
/// TensorFlow, and adds up where windows overlap; where the maximum is NaN, to the first element of the window.
///
/// # Panics
/// When the shape is inconsistent or a slice has another length.
#[inline]
pub fn max_backward(shape: &Pool2dShape, n: usize, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    max_backward_with(isa::active(), shape, n, x, y, dy, dx);
}

/// [`max_backward`] on the named instruction set; the same bits on each.
///
/// # Panics
/// As the function above, and when this processor lacks the instructions.
pub fn max_backward_with(isa: Isa, shape: &Pool2dShape, n: usize, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    shape.check("max_backward", n, &[x.len(), dx.len()], &[y.len(), dy.len()]);
    require(isa);
    // SAFETY: `require` has just checked that this processor has the instructions.
    let mut own = || with!(isa, A => unsafe { A::two_by_two_backward(shape, x, y, dy, dx) });
    if shape.is_two_by_two() && shape.output_len() > 0 && own() {
        return;
    }
    max_backward_loops_with(isa, shape, n, x, y, dy, dx);
}

/// `y[n, oh, ow, c]`, the maximum over each window of `x[n, h, w, c]` (overwrites); a NaN in a window makes the result NaN.
///
/// # Panics
/// When the shape is inconsistent or a slice has another length.
#[inline]
pub fn max_forward(shape: &Pool2dShape, n: usize, x: &[f32], y: &mut [f32]) {
    max_forward_with(isa::active(), shape, n, x, y);
}

/// [`max_forward`] on the named instruction set; the same bits on each.
///
/// # Panics
/// As the function above, and when this processor lacks the instructions.
pub fn max_forward_with(isa: Isa, shape: &Pool2dShape, n: usize, x: &[f32], y: &mut [f32]) {
    shape.check("max_forward", n, &[x.len()], &[y.len()]);
    require(isa);
    // SAFETY: `require` has just checked that this processor has the instructions.
    let mut own = || with!(isa, A => unsafe { A::two_by_two_forward(shape, x, y) });
    if shape.is_two_by_two() && shape.output_len() > 0 && own() {
        return;
    }
    max_forward_loops_with(isa, shape, n, x, y);
}

kernels! {
    /// [`max_forward`] without intrinsics.
    #[allow(dead_code, reason = "only the one with a named instruction set is called")]
    fn max_forward_loops / max_forward_loops_with(shape: &Pool2dShape, n: usize, x: &[f32], y: &mut [f32]) {}

    /// [`max_backward`] without intrinsics.
    #[allow(dead_code, reason = "only the one with a named instruction set is called")]
    fn max_backward_loops / max_backward_loops_with(
        shape: &Pool2dShape, n: usize, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32],
    ) {}

    /// `y[n, oh, ow, c]`, the mean over the real elements of each window of `x[n, h, w, c]` (overwrites).
    ///
    /// # Panics
    /// When the shape is inconsistent or a slice has another length.
    pub fn avg_forward / avg_forward_with(shape: &Pool2dShape, n: usize, x: &[f32], y: &mut [f32]) {
        shape.check("avg_forward", n, &[x.len()], &[y.len()]);
    }

    /// The gradient of [`avg_forward`] (overwrites `dx`).
    ///
    /// # Panics
    /// When the shape is inconsistent or a slice has another length.
    pub fn avg_backward / avg_backward_with(shape: &Pool2dShape, n: usize, dy: &[f32], dx: &mut [f32]) {
        shape.check("avg_backward", n, &[dx.len()], &[dy.len()]);
    }

    /// `y[n, c]`, the mean of `x[n, spatial, c]` over the middle axis (overwrites).
    ///
    /// # Panics
    /// When `spatial` is 0 or a slice has another length.
    pub fn global_avg_forward / global_avg_forward_with(n: usize, spatial: usize, c: usize, x: &[f32], y: &mut [f32]) {
        shape::check_global("global_avg_forward", n, spatial, c, x.len(), &[y.len()]);
    }

    /// The gradient of [`global_avg_forward`] (overwrites `dx[n, spatial, c]`).
    ///
    /// # Panics
    /// When `spatial` is 0 or a slice has another length.
    pub fn global_avg_backward / global_avg_backward_with(n: usize, spatial: usize, c: usize, dy: &[f32], dx: &mut [f32]) {
        shape::check_global("global_avg_backward", n, spatial, c, dx.len(), &[dy.len()]);
    }

    /// `y[n, c]`, the maximum of `x[n, spatial, c]` over the middle axis (overwrites); NaN if one is among them.
    ///
    /// # Panics
    /// When `spatial` is 0 or a slice has another length.
    pub fn global_max_forward / global_max_forward_with(n: usize, spatial: usize, c: usize, x: &[f32], y: &mut [f32]) {
        shape::check_global("global_max_forward", n, spatial, c, x.len(), &[y.len()]);
    }

    /// The gradient of [`global_max_forward`] (overwrites `dx[n, spatial, c]`): to every maximum in equal parts, as TensorFlow's
    /// `reduce_max`, on which Keras' layer rests; where the maximum is NaN, dx is NaN.
    ///
    /// # Panics
    /// When `spatial` is 0 or a slice has another length.
    pub fn global_max_backward / global_max_backward_with(
        n: usize, spatial: usize, c: usize, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32],
    ) {
        shape::check_global("global_max_backward", n, spatial, c, x.len(), &[y.len(), dy.len()]);
        assert_eq!(x.len(), dx.len(), "global_max_backward: x and dx differ in length");
    }
}

#[cfg(test)]
mod tests;
