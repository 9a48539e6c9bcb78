//! AVX2 with FMA: 8 lanes, 16 registers. Up to 6 rows by two vectors, or 12 by one.

use super::kernel::{self, Kernel, Piece, cut, micro};
use super::{Simd, Tile};
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

/// A micro-kernel.
///
/// # Safety
/// As [`micro`], and the processor has AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
unsafe fn kernel<const G: usize, const P: usize, const V: usize>(tile: &Tile, piece: Piece) {
    // SAFETY: this function is compiled for AVX2 and FMA; the rest is the caller's promise.
    unsafe { micro::<Avx2, G, P, V>(tile, piece) }
}

/// Computes `tile`.
///
/// # Safety
/// As [`super::run`], and the processor has AVX2 and FMA.
pub(super) unsafe fn run(tile: &Tile) {
    // SAFETY: the caller's promise; `select` names kernels of AVX2 only.
    unsafe { cut(tile, Avx2::LANES, vectors_for, rows_for, select) }
}

/// As [`super::add_rows`].
///
/// # Safety
/// As [`kernel::add_rows`], and the processor has the instruction set.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn add_rows(count: usize, lanes: usize, rows: *const f32, sums: *mut f32) {
    // SAFETY: this function is compiled for the instruction set; the rest is the caller's promise.
    unsafe { kernel::add_rows::<Avx2>(count, lanes, rows, sums) }
}

/// How many of the `left` vectors of columns to take at once.
fn vectors_for(groups: usize, rows: usize, left: usize) -> usize {
    match (groups, rows) {
        (1, 1) if left >= 8 => 8,
        (1, ..=3) if left >= 4 => 4,
        _ => left.min(2),
    }
}

/// How many groups and rows one kernel takes at most.
fn rows_for(groups: usize, rows: usize, vectors: usize) -> (usize, usize) {
    match (groups, rows, vectors) {
        (2.., 3, ..=2) => (2, 3),
        (2.., 5, 1) => (2, 5),
        (3.., 4, 1) => (3, 4),
        (_, _, 1) => (1, 12),
        (_, _, 2) => (1, 6),
        (_, _, 4) => (1, 3),
        _ => (1, 1),
    }
}

fn select(groups: usize, rows: usize, vectors: usize) -> Kernel {
    super::kernel::table!((groups, rows, vectors),
        1, 1: 1 2 3 4 5 6 7 8 9 10 11 12;
        1, 2: 1 2 3 4 5 6;
        1, 4: 1 2 3;
        1, 8: 1;
        2, 1: 3 5;
        2, 2: 3;
        3, 1: 4;
    )
}
