//! The one-dimensional transforms: 6 values from N and N from 6, by evaluation at the points 0, ±a, ±b, ∞.
//!
//! A product of polynomials is the product of their values (Toom and Cook); filtering is its transpose (Winograd). With
//! inverse points, `a · b = 1`, the constant terms vanish and rounding errors stay within a few times those of a direct
//! sum: 2/3 and 3/2 lose a seventh of what the usual 1 and 2 do.

use crate::arch::Simd;

const A: f32 = 2.0 / 3.0;
const B: f32 = 3.0 / 2.0;
const AA: f32 = A * A;
const BB: f32 = B * B;

/// A pair of a matrix `[6, N]` and its transpose.
pub(super) trait Transform<const N: usize> {
    /// Whether what [`Self::collect`] gives is added to what is there.
    const ACCUMULATE: bool;

    /// # Safety
    /// The caller is compiled for the instruction set `S`; so for [`Self::collect`].
    unsafe fn spread<S: Simd>(x: [S::Vector; N]) -> [S::Vector; 6];
    unsafe fn collect<S: Simd>(v: [S::Vector; 6]) -> [S::Vector; N];
}

/// Six pixels of the input: dividing the polynomial with all points as roots by each root.
pub(super) struct Pixels;
/// The outputs of a tile: values at the points.
pub(super) struct Outputs;
/// The taps of a kernel: values at the points over the product of distances to the others.
pub(super) struct Taps;

impl Transform<6> for Pixels {
    const ACCUMULATE: bool = true;

    #[inline(always)]
    unsafe fn spread<S: Simd>(x: [S::Vector; 6]) -> [S::Vector; 6] {
        // SAFETY: the caller's promise.
        // SAFETY: the caller's promise.
        unsafe {
            let c = |value| S::splat(value);
            let even_a = S::fma(c(-BB), x[2], x[4]);
            let odd_a = S::fma(c(A), x[3], S::mul(c(-B), x[1]));
            let even_b = S::fma(c(-AA), x[2], x[4]);
            let odd_b = S::fma(c(B), x[3], S::mul(c(-A), x[1]));
            [
                S::fma(c(-(AA + BB)), x[2], S::add(x[0], x[4])),
                S::add(even_a, odd_a),
                S::sub(even_a, odd_a),
                S::add(even_b, odd_b),
                S::sub(even_b, odd_b),
                S::fma(c(-(AA + BB)), x[3], S::add(x[1], x[5])),
            ]
        }
    }

    #[inline(always)]
    unsafe fn collect<S: Simd>(v: [S::Vector; 6]) -> [S::Vector; 6] {
        // SAFETY: the caller's promise.
        unsafe {
            let c = |value| S::splat(value);
            let (sum_a, difference_a) = (S::add(v[1], v[2]), S::sub(v[1], v[2]));
            let (sum_b, difference_b) = (S::add(v[3], v[4]), S::sub(v[3], v[4]));
            [
                v[0],
                S::fma(c(-B), difference_a, S::fma(c(-A), difference_b, v[5])),
                S::fma(c(-BB), sum_a, S::fma(c(-AA), sum_b, S::mul(c(-(AA + BB)), v[0]))),
                S::fma(c(A), difference_a, S::fma(c(B), difference_b, S::mul(c(-(AA + BB)), v[5]))),
                S::add(v[0], S::add(sum_a, sum_b)),
                v[5],
            ]
        }
    }
}

impl<const N: usize> Transform<N> for Outputs {
    const ACCUMULATE: bool = false;

    #[inline(always)]
    unsafe fn spread<S: Simd>(x: [S::Vector; N]) -> [S::Vector; 6] {
        // SAFETY: the caller's promise.
        unsafe { spread::<S, N>(x, 1.0, 1.0) }
    }

    #[inline(always)]
    unsafe fn collect<S: Simd>(v: [S::Vector; 6]) -> [S::Vector; N] {
        // SAFETY: the caller's promise.
        unsafe { collect::<S, N>(v, 1.0, 1.0) }
    }
}

impl<const N: usize> Transform<N> for Taps {
    const ACCUMULATE: bool = true;

    #[inline(always)]
    unsafe fn spread<S: Simd>(x: [S::Vector; N]) -> [S::Vector; 6] {
        // SAFETY: the caller's promise.
        unsafe { spread::<S, N>(x, 0.5 / (AA * (AA - BB)), 0.5 / (BB * (BB - AA))) }
    }

    #[inline(always)]
    unsafe fn collect<S: Simd>(v: [S::Vector; 6]) -> [S::Vector; N] {
        // SAFETY: the caller's promise.
        unsafe { collect::<S, N>(v, 0.5 / (AA * (AA - BB)), 0.5 / (BB * (BB - AA))) }
    }
}

/// The polynomial with coefficients `x` at 0, at ±a times `scale_a`, at ±b times `scale_b`, and its leading coefficient.
#[inline(always)]
unsafe fn spread<S: Simd, const N: usize>(x: [S::Vector; N], scale_a: f32, scale_b: f32) -> [S::Vector; 6] {
    // SAFETY: the caller's promise.
    unsafe {
        let at = |point: f32, scale: f32| {
            let mut parts = [S::mul(S::splat(scale), x[0]), S::mul(S::splat(scale * point), x[1])];
            let mut power = scale * point;
            for (i, &value) in x.iter().enumerate().skip(2) {
                power *= point;
                parts[i % 2] = S::fma(S::splat(power), value, parts[i % 2]);
            }
            (S::add(parts[0], parts[1]), S::sub(parts[0], parts[1]))
        };
        let ((plus_a, minus_a), (plus_b, minus_b)) = (at(A, scale_a), at(B, scale_b));
        [x[0], plus_a, minus_a, plus_b, minus_b, x[N - 1]]
    }
}

/// The transpose of [`spread`].
#[inline(always)]
unsafe fn collect<S: Simd, const N: usize>(v: [S::Vector; 6], scale_a: f32, scale_b: f32) -> [S::Vector; N] {
    // SAFETY: the caller's promise.
    unsafe {
        let (by_a, by_b) = (S::splat(scale_a), S::splat(scale_b));
        let a = [S::mul(by_a, S::add(v[1], v[2])), S::mul(by_a, S::sub(v[1], v[2]))];
        let b = [S::mul(by_b, S::add(v[3], v[4])), S::mul(by_b, S::sub(v[3], v[4]))];
        let mut y = [S::zero(); N];
        let (mut power_a, mut power_b) = (1.0, 1.0);
        for (i, value) in y.iter_mut().enumerate() {
            let sum = S::mul(S::splat(power_a), a[i % 2]);
            *value = S::fma(S::splat(power_b), b[i % 2], sum);
            power_a *= A;
            power_b *= B;
        }
        y[0] = S::add(y[0], v[0]);
        y[N - 1] = S::add(y[N - 1], v[5]);
        y
    }
}
