//! One row times a matrix of up to twelve columns whose rows lie end to end, as ten classes from a flattened picture.
//!
//! Such a matrix is read as the run of numbers it is: sixteen rows of `n` columns are `n` whole vectors, and lane `l` of vector `v` belongs
//! to row `(16v + l) / n`, so its factor comes out of the vector of sixteen factors by a permutation that is the same every time. No load
//! crosses a cache line for a row's sake, and no lane is idle.

use core::arch::x86_64::*;

/// Most columns: sums and permutations stay in registers.
pub(super) const COLUMNS: usize = 12;
const LANES: usize = 16;

/// `to[column] = Σ x[row] · b[row · n + column]` for the `n` columns of `to`.
///
/// # Safety
/// The processor has AVX-512F; `to` has 1 to [`COLUMNS`] elements.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn product(x: &[f32], b: &[f32], to: &mut [f32]) {
    // SAFETY: the caller's promise.
    unsafe {
        match to.len() {
            1 => columns::<1>(x, b, to),
            2 => columns::<2>(x, b, to),
            3 => columns::<3>(x, b, to),
            4 => columns::<4>(x, b, to),
            5 => columns::<5>(x, b, to),
            6 => columns::<6>(x, b, to),
            7 => columns::<7>(x, b, to),
            8 => columns::<8>(x, b, to),
            9 => columns::<9>(x, b, to),
            10 => columns::<10>(x, b, to),
            11 => columns::<11>(x, b, to),
            _ => columns::<12>(x, b, to),
        }
    }
}

/// # Safety
/// As [`product`], with `N` columns.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn columns<const N: usize>(x: &[f32], b: &[f32], to: &mut [f32]) {
    assert!(to.len() == N && b.len() >= x.len() * N, "gemm: a matrix of {} elements for {} rows", b.len(), x.len());
    let mut rows = [_mm512_setzero_si512(); N];
    for (v, rows) in rows.iter_mut().enumerate() {
        let lanes: [i32; LANES] = std::array::from_fn(|l| ((LANES * v + l) / N) as i32);
        // SAFETY: an array of sixteen.
        *rows = unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) };
    }
    let mut sums = [_mm512_setzero_ps(); N];
    let (groups, rest) = x.as_chunks::<LANES>();
    let mut at = b.as_ptr();
    for group in groups {
        // SAFETY: a group is sixteen rows of `b`, `N` vectors.
        unsafe {
            let factors = _mm512_loadu_ps(group.as_ptr());
            for (v, (sum, rows)) in sums.iter_mut().zip(rows).enumerate() {
                *sum = _mm512_fmadd_ps(_mm512_permutexvar_ps(rows, factors), _mm512_loadu_ps(at.add(v * LANES)), *sum);
            }
            at = at.add(N * LANES);
        }
    }
    let mut flat = [[0.0f32; LANES]; N];
    for (flat, sum) in flat.iter_mut().zip(sums) {
        // SAFETY: an array of sixteen.
        unsafe { _mm512_storeu_ps(flat.as_mut_ptr(), sum) };
    }
    // Sixteen rows of N again, one below the other.
    let (rows, _) = flat.as_flattened().as_chunks::<N>();
    let mut halves = [[0.0f32; N]; 8];
    for (i, half) in halves.iter_mut().enumerate() {
        *half = std::array::from_fn(|c| rows[i][c] + rows[i + 8][c]);
    }
    for width in [4, 2, 1] {
        for i in 0..width {
            halves[i] = std::array::from_fn(|c| halves[i][c] + halves[i + width][c]);
        }
    }
    to.copy_from_slice(&halves[0]);
    for (factor, row) in rest.iter().zip(b[groups.len() * LANES * N..].as_chunks::<N>().0) {
        to.iter_mut().zip(row).for_each(|(sum, value)| *sum = factor.mul_add(*value, *sum));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::Isa;

    #[test]
    fn every_number_of_columns_and_rows_that_do_not_come_in_sixteens() {
        if !Isa::Avx512.is_available() {
            maobi_testing::skip("this processor has no AVX-512");
            return;
        }
        for n in 1..=COLUMNS {
            for k in [0, 1, 15, 16, 17, 47, 784] {
                // Small whole numbers: sums are exact in any order.
                let x: Vec<f32> = (0..k).map(|i| (i % 7) as f32 - 3.0).collect();
                let b: Vec<f32> = (0..k * n).map(|i| (i % 11) as f32 - 5.0).collect();
                let mut to = vec![f32::NAN; n];
                // SAFETY: the processor was asked.
                unsafe { product(&x, &b, &mut to) };
                for (column, &got) in to.iter().enumerate() {
                    let sum: f32 = (0..k).map(|row| x[row] * b[row * n + column]).sum();
                    assert_eq!(got, sum, "{n} columns, {k} rows, column {column}");
                }
            }
        }
    }
}
