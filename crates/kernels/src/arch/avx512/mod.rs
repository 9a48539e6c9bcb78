//! AVX-512 F, BW, DQ and VL: 32 registers of 16 lanes.

mod dense_rows;
mod pooling;
mod tile;

use super::{Arch, Simd, Task};
use crate::pooling::Pool2dShape;
use crate::tile::{Tile, kernel};
use std::arch::x86_64::*;

/// The vectors of Avx512.
pub(crate) struct Avx512;

impl Simd for Avx512 {
    type Vector = __m512;
    type Mask = __mmask16;
    const LANES: usize = 16;

    super::simd::operations! {
        fn zero() -> __m512 = _mm512_setzero_ps();
        fn broadcast(from: *const f32) -> __m512 = _mm512_set1_ps(*from);
        fn load(from: *const f32) -> __m512 = _mm512_loadu_ps(from);
        fn store(to: *mut f32, value: __m512) = _mm512_storeu_ps(to, value);
        fn mask(lanes: usize) -> __mmask16 = 0xffff >> (16 - lanes);
        fn load_some(from: *const f32, mask: __mmask16) -> __m512 = _mm512_maskz_loadu_ps(mask, from);
        fn store_some(to: *mut f32, mask: __mmask16, value: __m512) = _mm512_mask_storeu_ps(to, mask, value);
        fn fma(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c);
        fn add(a: __m512, b: __m512) -> __m512 = _mm512_add_ps(a, b);
        fn splat(value: f32) -> __m512 = _mm512_set1_ps(value);
        fn sub(a: __m512, b: __m512) -> __m512 = _mm512_sub_ps(a, b);
        fn mul(a: __m512, b: __m512) -> __m512 = _mm512_mul_ps(a, b);
        fn max(a: __m512, b: __m512) -> __m512 = _mm512_max_ps(a, b);
        // The second operand is the answer when one of them is NaN.
        fn relu(value: __m512) -> __m512 = _mm512_max_ps(_mm512_setzero_ps(), value);
        fn prefetch(from: *const f32) = _mm_prefetch::<_MM_HINT_T1>(from.cast());
    }
}

impl Arch for Avx512 {
    const SUMS: usize = 16;

    fn is_available() -> bool {
        super::Avx2::is_available()
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
    unsafe fn compiled<T: Task>(task: T) -> T::Output {
        // SAFETY: this function is compiled for the instruction set; the rest is the caller's promise.
        unsafe { task.run::<Self>() }
    }

    unsafe fn tile(tile: &Tile) {
        // SAFETY: the caller's promise; the kernels are those of this instruction set.
        unsafe { kernel::cut(tile, Self::LANES, &tile::SIZES) }
    }

    unsafe fn two_by_two_forward(shape: &Pool2dShape, x: &[f32], y: &mut [f32]) -> bool {
        let takes = pooling::takes(shape.c);
        if takes {
            // SAFETY: the caller's promise.
            unsafe { pooling::two_by_two_forward(shape, x, y) }
        }
        takes
    }

    unsafe fn two_by_two_backward(shape: &Pool2dShape, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) -> bool {
        let takes = pooling::takes(shape.c);
        if takes {
            // SAFETY: the caller's promise.
            unsafe { pooling::two_by_two_backward(shape, x, y, dy, dx) }
            return true;
        }
        // SAFETY: AVX2 is part of AVX-512.
        unsafe { super::Avx2::two_by_two_backward(shape, x, y, dy, dx) }
    }

    unsafe fn dense_rows(x: &[f32], b: &[f32], to: &mut [f32]) -> bool {
        let takes = (1..=dense_rows::COLUMNS).contains(&to.len());
        if takes {
            // SAFETY: the caller's promise, and the number of columns.
            unsafe { dense_rows::product(x, b, to) }
        }
        takes
    }
}
