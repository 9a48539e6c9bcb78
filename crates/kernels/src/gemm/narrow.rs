//! One row times a matrix of a few columns, as the last layer of a network is for a single picture.
//!
//! A sum of products waits for the one before it; eight sums of every eighth product do not. They are added in one order.

#[cfg(target_arch = "x86_64")]
use super::dense_rows;
use super::{Epilogue, Matrix};
use crate::isa::Isa;
#[cfg(target_arch = "x86_64")]
use crate::tile::{Avx2, Avx512};
use crate::tile::{Portable, Simd};

/// Most columns for which this is faster than tiles.
const COLUMNS: usize = 64;
/// Sums on their way at once.
const SUMS: usize = 8;

/// Whether a matrix of so many columns is narrow.
pub(super) fn pays(columns: usize) -> bool {
    columns <= COLUMNS
}

/// `c = epilogue((c +) x · b)` for a matrix `b` of contiguous rows.
pub(super) fn product(isa: Isa, x: &[f32], b: &Matrix, c: &mut [f32], accumulate: bool, epilogue: Epilogue) {
    let (n, b, pitch) = (c.len(), b.data, b.row_stride);
    assert!(isa.is_available() && n <= COLUMNS);
    assert!(x.is_empty() || b.len() >= (x.len() - 1) * pitch + n, "gemm: B is shorter than its shape");
    let mut sums = [0.0; COLUMNS];
    let to = sums[..n].as_mut_ptr();
    // SAFETY: the assertions; `sums` has `n` elements.
    unsafe {
        match isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => avx2(x, b.as_ptr(), pitch, n, to),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 if pitch == n && (1..=dense_rows::COLUMNS).contains(&n) => dense_rows::product(x, b, &mut sums[..n]),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => avx512(x, b.as_ptr(), pitch, n, to),
            _ => columns::<Portable>(x, b.as_ptr(), pitch, n, to),
        }
    }
    for (column, (value, &sum)) in c.iter_mut().zip(&sums).enumerate() {
        let sum = sum + if accumulate { *value } else { 0.0 } + epilogue.bias().map_or(0.0, |bias| bias[column]);
        *value = if matches!(epilogue, Epilogue::BiasRelu(_)) && sum < 0.0 { 0.0 } else { sum };
    }
}

/// # Safety
/// As [`columns`], and the processor has AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(x: &[f32], b: *const f32, pitch: usize, n: usize, to: *mut f32) {
    // SAFETY: the caller's promise.
    unsafe { columns::<Avx2>(x, b, pitch, n, to) }
}

/// # Safety
/// As [`columns`], and the processor has AVX-512.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
unsafe fn avx512(x: &[f32], b: *const f32, pitch: usize, n: usize, to: *mut f32) {
    // SAFETY: the caller's promise.
    unsafe { columns::<Avx512>(x, b, pitch, n, to) }
}

/// # Safety
/// `b` has `x.len()` rows of `n` elements, `pitch` apart; `to` has `n` elements; the caller is compiled for `S`.
#[inline(always)]
unsafe fn columns<S: Simd>(x: &[f32], b: *const f32, pitch: usize, n: usize, to: *mut f32) {
    for from in (0..n).step_by(S::LANES) {
        // SAFETY: the caller's promise, for the columns `from..from + lanes`.
        unsafe {
            let mask = S::mask(S::LANES.min(n - from));
            let mut sums = [S::zero(); SUMS];
            let mut row = b.add(from);
            let (groups, rest) = x.as_chunks::<SUMS>();
            for group in groups {
                for (sum, factor) in sums.iter_mut().zip(group) {
                    *sum = S::fma(S::broadcast(factor), S::load_some(row, mask), *sum);
                    row = row.wrapping_add(pitch);
                }
            }
            for (sum, factor) in sums.iter_mut().zip(rest) {
                *sum = S::fma(S::broadcast(factor), S::load_some(row, mask), *sum);
                row = row.wrapping_add(pitch);
            }
            let [a, b, c, d, e, f, g, h] = sums;
            let (ab, cd, ef, gh) = (S::add(a, b), S::add(c, d), S::add(e, f), S::add(g, h));
            S::store_some(to.add(from), mask, S::add(S::add(ab, cd), S::add(ef, gh)));
        }
    }
}
