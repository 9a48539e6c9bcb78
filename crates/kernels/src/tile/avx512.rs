//! AVX-512: 16 lanes, 32 registers. Up to 14 rows by two vectors or 6 by four, which leaves room for B and one broadcast.

use super::kernel::{self, Kernel, Piece, cut, micro};
use super::{Simd, Tile};
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

/// A micro-kernel.
///
/// # Safety
/// As [`micro`], and the processor has AVX-512.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
unsafe fn kernel<const G: usize, const P: usize, const V: usize>(tile: &Tile, piece: Piece) {
    // SAFETY: this function is compiled for AVX-512; the rest is the caller's promise.
    unsafe { micro::<Avx512, G, P, V>(tile, piece) }
}

/// Computes `tile`.
///
/// # Safety
/// As [`super::run`], and the processor has AVX-512.
pub(super) unsafe fn run(tile: &Tile) {
    // SAFETY: the caller's promise; `select` names kernels of AVX-512 only.
    unsafe { cut(tile, Avx512::LANES, vectors_for, rows_for, select) }
}

/// As [`super::add_rows`].
///
/// # Safety
/// As [`kernel::add_rows`], and the processor has the instruction set.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
pub(super) unsafe fn add_rows(count: usize, lanes: usize, rows: *const f32, sums: *mut f32) {
    // SAFETY: this function is compiled for the instruction set; the rest is the caller's promise.
    unsafe { kernel::add_rows::<Avx512>(count, lanes, rows, sums) }
}

/// How many of the `left` vectors of columns to take at once.
fn vectors_for(groups: usize, rows: usize, left: usize) -> usize {
    match (groups, rows) {
        (1, ..=3) if left >= 8 => 8,
        (5, 5) => 1,
        (_, ..=6) if left >= 4 => 4,
        _ => left.min(2),
    }
}

/// How many groups and rows one kernel takes at most.
fn rows_for(groups: usize, rows: usize, vectors: usize) -> (usize, usize) {
    match (groups, rows, vectors) {
        (5, 5, 1) => (5, 5),
        (3.., 4, 1) => (3, 4),
        (3.., 3, ..=2) => (3, 3),
        (2.., 3, 4) => (2, 3),
        (2.., 5, ..=2) => (2, 5),
        (_, _, ..=2) => (1, 14),
        (_, _, 4) => (1, 6),
        _ => (1, 3),
    }
}

fn select(groups: usize, rows: usize, vectors: usize) -> Kernel {
    super::kernel::table!((groups, rows, vectors),
        1, 1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
        1, 2: 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
        1, 4: 1 2 3 4 5 6;
        1, 8: 1 2 3;
        5, 1: 5;
        3, 1: 3 4;
        3, 2: 3;
        2, 1: 5;
        2, 2: 5;
        2, 4: 3;
    )
}
