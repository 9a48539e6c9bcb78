//! One row times a matrix of a few columns, as the last layer of a network is for a single picture.
//!
//! A sum of products waits for the one before it; eight sums of every eighth product do not. They are added in one order.

use super::{Epilogue, Matrix};
use crate::arch::{Arch, Task};
use crate::isa::{self, Isa};

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
    let to = &mut sums[..n];
    // SAFETY: the assertions.
    unsafe {
        if pitch != n || !isa::with!(isa, A => A::dense_rows(x, b, to)) {
            isa::run(isa, Columns { x, b, pitch, to });
        }
    }
    for (column, (value, &sum)) in c.iter_mut().zip(&sums).enumerate() {
        let sum = sum + if accumulate { *value } else { 0.0 } + epilogue.bias().map_or(0.0, |bias| bias[column]);
        *value = if matches!(epilogue, Epilogue::BiasRelu(_)) && sum < 0.0 { 0.0 } else { sum };
    }
}

/// `to[column] = Σ x[row] · b[row · pitch + column]`.
///
/// Its safety: `b` has `x.len()` rows of as many elements as `to`, `pitch` apart.
struct Columns<'a> {
    x: &'a [f32],
    b: &'a [f32],
    pitch: usize,
    to: &'a mut [f32],
}

impl Task for Columns<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Arch>(self) {
        let Columns { x, b, pitch, to } = self;
        for from in (0..to.len()).step_by(S::LANES) {
            // SAFETY: the caller's promise, for the columns `from..from + lanes`.
            unsafe {
                let mask = S::mask(S::LANES.min(to.len() - from));
                let mut sums = [S::zero(); SUMS];
                let mut row = b.as_ptr().wrapping_add(from);
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
                S::store_some(to.as_mut_ptr().add(from), mask, S::add(S::add(ab, cd), S::add(ef, gh)));
            }
        }
    }
}
