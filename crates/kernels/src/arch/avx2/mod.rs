//! AVX2 with FMA and F16C: 16 registers of 8 lanes.

mod pooling;
mod tile;

use super::{Arch, Simd, Task};
use crate::pooling::Pool2dShape;
use crate::tile::{Tile, kernel};
use std::arch::x86_64::*;

/// The vectors of Avx2.
pub(crate) struct Avx2;

/// A run of set lanes followed by as many clear ones: masks are windows into it.
static MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

impl Simd for Avx2 {
    type Vector = __m256;
    type Mask = __m256i;
    const LANES: usize = 8;

    super::simd::operations! {
        fn zero() -> __m256 = _mm256_setzero_ps();
        fn broadcast(from: *const f32) -> __m256 = _mm256_broadcast_ss(&*from);
        fn load(from: *const f32) -> __m256 = _mm256_loadu_ps(from);
        fn store(to: *mut f32, value: __m256) = _mm256_storeu_ps(to, value);
        fn mask(lanes: usize) -> __m256i = _mm256_loadu_si256(MASKS.as_ptr().add(8 - lanes).cast());
        fn load_some(from: *const f32, mask: __m256i) -> __m256 = _mm256_maskload_ps(from, mask);
        fn store_some(to: *mut f32, mask: __m256i, value: __m256) = _mm256_maskstore_ps(to, mask, value);
        fn fma(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fmadd_ps(a, b, c);
        fn add(a: __m256, b: __m256) -> __m256 = _mm256_add_ps(a, b);
        fn splat(value: f32) -> __m256 = _mm256_set1_ps(value);
        fn sub(a: __m256, b: __m256) -> __m256 = _mm256_sub_ps(a, b);
        fn mul(a: __m256, b: __m256) -> __m256 = _mm256_mul_ps(a, b);
        fn max(a: __m256, b: __m256) -> __m256 = _mm256_max_ps(a, b);
        // The second operand is the answer when one of them is NaN.
        fn relu(value: __m256) -> __m256 = _mm256_max_ps(_mm256_setzero_ps(), value);
        fn prefetch(from: *const f32) = _mm_prefetch::<_MM_HINT_T1>(from.cast());
    }
}

impl Arch for Avx2 {
    const SUMS: usize = 12;

    fn is_available() -> bool {
        is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c")
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn compiled<T: Task>(task: T) -> T::Output {
        // SAFETY: this function is compiled for the instruction set; the rest is the caller's promise.
        unsafe { task.run::<Self>() }
    }

    unsafe fn tile(tile: &Tile) {
        // SAFETY: the caller's promise; the kernels are those of this instruction set.
        unsafe { kernel::cut(tile, Self::LANES, &tile::SIZES) }
    }

    unsafe fn two_by_two_backward(shape: &Pool2dShape, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) -> bool {
        // Eight channels are too few for a compiler to make vectors of the loop over them.
        let takes = shape.c > 0 && shape.c.is_multiple_of(8);
        if takes {
            // SAFETY: the caller's promise.
            unsafe { pooling::two_by_two_backward(shape, x, y, dy, dx) }
        }
        takes
    }
}
