//! 2×2 max pooling on vectors of sixteen: sixteen channels of a pixel, or eight channels of two neighbours, whose maximum
//! and gradient are then found among the lanes of one vector. Which element takes the gradient is arithmetic on masks.

use crate::pooling::Pool2dShape;
use core::arch::x86_64::*;

/// The features of all functions here.
macro_rules! avx512 {
    ($($item:item)*) => { $(#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")] $item)* };
}

/// Whether there is a way for so many channels.
pub(super) fn takes(c: usize) -> bool {
    c == 8 || (c > 0 && c.is_multiple_of(16))
}

avx512! {
    fn load(from: &[f32; 16]) -> __m512 {
        // SAFETY: the reference is valid for sixteen f32, and the load needs no alignment.
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }

    fn store(to: &mut [f32; 16], v: __m512) {
        // SAFETY: the reference is valid for sixteen f32, and the store needs no alignment.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), v) }
    }

    /// Eight values, twice.
    fn twice(from: &[f32; 8]) -> __m512 {
        // SAFETY: the reference is valid for eight f32, and the load needs no alignment.
        _mm512_broadcast_f32x8(unsafe { _mm256_loadu_ps(from.as_ptr()) })
    }

    /// The larger of both pixels of a vector.
    fn of_both(v: __m512) -> __m256 {
        _mm256_max_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps::<1>(v))
    }

    /// [`crate::pooling::max_forward`] for whole 2×2 windows side by side and channels that [`takes`] names; lengths as checked there.
    pub(super) fn two_by_two_forward(s: &Pool2dShape, x: &[f32], y: &mut [f32]) {
        for (x, y) in x.chunks_exact(s.input_len()).zip(y.chunks_exact_mut(s.output_len())) {
            image_forward(s, x, y);
        }
    }

    fn image_forward(s: &Pool2dShape, x: &[f32], y: &mut [f32]) {
        let (line, covered) = (s.w * s.c, 2 * s.out_w * s.c);
        for (y, x) in y.chunks_exact_mut(s.out_w * s.c).zip(x.chunks_exact(2 * line)) {
            let (up, low) = (x[..covered].as_chunks::<16>().0, x[line..line + covered].as_chunks::<16>().0);
            if s.c == 8 {
                for ((y, up), low) in y.as_chunks_mut::<8>().0.iter_mut().zip(up).zip(low) {
                    let (up, low) = (load(up), load(low));
                    let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(up, low);
                    let max = _mm256_max_ps(of_both(up), of_both(low));
                    let max = _mm256_mask_blend_ps((nan | (nan >> 8)) as u8, max, _mm256_set1_ps(f32::NAN));
                    // SAFETY: the reference is valid for eight f32.
                    unsafe { _mm256_storeu_ps(y.as_mut_ptr(), max) };
                }
                continue;
            }
            let groups = s.c / 16;
            let pairs = up.chunks_exact(2 * groups).zip(low.chunks_exact(2 * groups));
            for (y, (up, low)) in y.as_chunks_mut::<16>().0.chunks_exact_mut(groups).zip(pairs) {
                for (g, y) in y.iter_mut().enumerate() {
                    let [a, b, c, d] = [load(&up[g]), load(&up[groups + g]), load(&low[g]), load(&low[groups + g])];
                    let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, b) | _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(c, d);
                    let max = _mm512_max_ps(_mm512_max_ps(a, b), _mm512_max_ps(c, d));
                    store(y, _mm512_mask_blend_ps(nan, max, _mm512_set1_ps(f32::NAN)));
                }
            }
        }
    }

    /// [`crate::pooling::max_backward`], as [`two_by_two_forward`].
    pub(super) fn two_by_two_backward(s: &Pool2dShape, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
        let outputs = y.chunks_exact(s.output_len()).zip(dy.chunks_exact(s.output_len()));
        let inputs = x.chunks_exact(s.input_len()).zip(dx.chunks_exact_mut(s.input_len()));
        for ((x, dx), (y, dy)) in inputs.zip(outputs) {
            image_backward(s, x, y, dy, dx);
        }
    }

    fn image_backward(s: &Pool2dShape, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
        let (line, covered) = (s.w * s.c, 2 * s.out_w * s.c);
        let outputs = y.chunks_exact(s.out_w * s.c).zip(dy.chunks_exact(s.out_w * s.c));
        for ((x, dx), (y, dy)) in x.chunks_exact(2 * line).zip(dx.chunks_exact_mut(2 * line)).zip(outputs) {
            let (up, low) = (x[..covered].as_chunks::<16>().0, x[line..line + covered].as_chunks::<16>().0);
            let (dx_up, dx_low) = dx.split_at_mut(line);
            // Columns that no window reaches.
            dx_up[covered..].fill(0.0);
            dx_low[covered..].fill(0.0);
            let (dx_up, dx_low) = (dx_up.as_chunks_mut::<16>().0, dx_low.as_chunks_mut::<16>().0);
            if s.c == 8 {
                for (window, (y, dy)) in y.as_chunks::<8>().0.iter().zip(dy.as_chunks::<8>().0).enumerate() {
                    let (y, dy) = (twice(y), twice(dy));
                    let upper = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(load(&up[window]), y);
                    let lower = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(load(&low[window]), y) & 0xff;
                    let a = upper & 0xff;
                    let ab = a | (upper >> 8);
                    let abc = ab | lower;
                    store(&mut dx_up[window], _mm512_maskz_mov_ps(a | ((ab & !a) << 8), dy));
                    store(&mut dx_low[window], _mm512_maskz_mov_ps((lower & !ab) | (!abc << 8), dy));
                }
                continue;
            }
            let groups = s.c / 16;
            let (y, dy) = (y.as_chunks::<16>().0, dy.as_chunks::<16>().0);
            for window in 0..s.out_w {
                for g in 0..groups {
                    let (left, right) = (2 * window * groups + g, (2 * window + 1) * groups + g);
                    let (y, dy) = (load(&y[window * groups + g]), load(&dy[window * groups + g]));
                    let a = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(load(&up[left]), y);
                    let ab = a | _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(load(&up[right]), y);
                    let abc = ab | _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(load(&low[left]), y);
                    store(&mut dx_up[left], _mm512_maskz_mov_ps(a, dy));
                    store(&mut dx_up[right], _mm512_maskz_mov_ps(ab & !a, dy));
                    store(&mut dx_low[left], _mm512_maskz_mov_ps(abc & !ab, dy));
                    store(&mut dx_low[right], _mm512_maskz_mov_ps(!abc, dy));
                }
            }
        }
        // Rows below the last window.
        dx[2 * s.out_h * line..].fill(0.0);
    }
}
