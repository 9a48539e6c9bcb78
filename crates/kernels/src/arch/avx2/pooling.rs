//! The gradient of 2×2 max pooling on vectors of eight channels.

use crate::pooling::Pool2dShape;
use core::arch::x86_64::{
    __m256, _CMP_NLT_UQ, _mm256_and_ps, _mm256_andnot_ps, _mm256_cmp_ps, _mm256_loadu_ps, _mm256_storeu_ps,
};

#[target_feature(enable = "avx2")]
fn load(from: &[f32; 8]) -> __m256 {
    // SAFETY: the reference is valid for eight f32, and the load needs no alignment.
    unsafe { _mm256_loadu_ps(from.as_ptr()) }
}

#[target_feature(enable = "avx2")]
fn store(to: &mut [f32; 8], v: __m256) {
    // SAFETY: the reference is valid for eight f32, and the store needs no alignment.
    unsafe { _mm256_storeu_ps(to.as_mut_ptr(), v) }
}

/// Gives what is left of the gradient to the lanes of `x` that are not below `y`; answers (their part, what remains).
#[target_feature(enable = "avx2")]
fn take(x: &[f32; 8], y: __m256, left: __m256) -> (__m256, __m256) {
    let hit = _mm256_cmp_ps::<_CMP_NLT_UQ>(load(x), y);
    (_mm256_and_ps(hit, left), _mm256_andnot_ps(hit, left))
}

/// [`crate::pooling::max_backward`] for whole 2×2 windows side by side and channels that are a multiple of eight; lengths as checked there.
#[target_feature(enable = "avx2")]
pub(super) fn two_by_two_backward(s: &Pool2dShape, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    let (line, groups) = (s.w * s.c, s.c / 8);
    let images = x.chunks_exact(s.input_len()).zip(dx.chunks_exact_mut(s.input_len()));
    let outputs = y.chunks_exact(s.output_len()).zip(dy.chunks_exact(s.output_len()));
    for ((x, dx), (y, dy)) in images.zip(outputs) {
        let lines = y.chunks_exact(s.out_w * s.c).zip(dy.chunks_exact(s.out_w * s.c));
        for ((x, dx), (y, dy)) in x.chunks_exact(2 * line).zip(dx.chunks_exact_mut(2 * line)).zip(lines) {
            let (x_up, x_low) = x.split_at(line);
            let (dx_up, dx_low) = dx.split_at_mut(line);
            let (dx_up, rest_up) = dx_up.split_at_mut(2 * s.out_w * s.c);
            let (dx_low, rest_low) = dx_low.split_at_mut(2 * s.out_w * s.c);
            // Columns that no window reaches.
            rest_up.fill(0.0);
            rest_low.fill(0.0);
            let (x_up, x_low) = (x_up.as_chunks::<8>().0, x_low.as_chunks::<8>().0);
            let (dx_up, dx_low) = (dx_up.as_chunks_mut::<8>().0, dx_low.as_chunks_mut::<8>().0);
            let (y, dy) = (y.as_chunks::<8>().0, dy.as_chunks::<8>().0);
            for window in 0..s.out_w {
                for g in 0..groups {
                    let (left, right) = (2 * window * groups + g, (2 * window + 1) * groups + g);
                    let (y, dy) = (load(&y[window * groups + g]), load(&dy[window * groups + g]));
                    let (part, rest) = take(&x_up[left], y, dy);
                    store(&mut dx_up[left], part);
                    let (part, rest) = take(&x_up[right], y, rest);
                    store(&mut dx_up[right], part);
                    let (part, rest) = take(&x_low[left], y, rest);
                    store(&mut dx_low[left], part);
                    let (part, _) = take(&x_low[right], y, rest);
                    store(&mut dx_low[right], part);
                }
            }
        }
        // Rows below the last window.
        dx[2 * s.out_h * line..].fill(0.0);
    }
}
