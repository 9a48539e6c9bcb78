//! One row times a large matrix, as when a single picture is classified: the matrix is read once, so its way through memory
//! is all that counts.
//!
//! A task adds up some of the matrix's rows, each from start to end, as memory likes it. Of a matrix that is known to be finite, rows
//! whose factor is 0 (after relu, half of them) are not read. Threads sweep over their tasks to and fro: what a call reads last, the next one reads first, from the
//! second-level cache. The tasks' sums are added in order; their number is fixed, so the bits of the result do not depend on the
//! threads. (Four rows at a time, and prefetching the next, were both slower.)

use super::{Epilogue, Matrix};
use crate::isa::Isa;
use crate::memory::Buffer;
use crate::parallel::Sweep;
use crate::pointwise;
use crate::pool::Pool;
use std::cell::Cell;

/// Fewest columns and products for which this is faster than tiles.
const COLUMNS: usize = 256;
const PRODUCTS: usize = 1 << 18;
/// Number of tasks.
const PARTS: usize = 8;

thread_local! {
    /// The sums of all tasks. Grows to the widest matrix of this thread and stays.
    static SUMS: Cell<Buffer> = Cell::new(Buffer::default());
}

/// Which way the next product goes.
static SWEEP: Sweep = Sweep::new();

/// Whether a matrix of `rows` and `columns` is large enough.
pub(super) fn pays(rows: usize, columns: usize) -> bool {
    columns >= COLUMNS && rows * columns >= PRODUCTS
}

/// `c = epilogue((c +) x · b)` for a matrix `b` of contiguous rows.
pub(super) fn product(isa: Isa, pool: &Pool, x: &[f32], b: &Matrix, c: &mut [f32], accumulate: bool, epilogue: Epilogue) {
    let (k, n) = (x.len(), c.len());
    let mut sums = SUMS.take();
    if sums.len() < PARTS * n {
        sums.resize(PARTS * n);
    }
    sums.partition(&std::array::from_fn::<usize, { PARTS + 1 }, _>(|part| part * n));
    SWEEP.run(pool, PARTS, &|part| {
        let sums = &mut *sums.part_mut(part);
        sums.fill(0.0);
        for row in (part * k / PARTS..(part + 1) * k / PARTS).filter(|&row| x[row] != 0.0 || !b.finite) {
            pointwise::axpy_with(isa, x[row], &b.data[row * b.row_stride..][..n], sums);
        }
    });
    if !accumulate {
        c.fill(0.0);
    }
    (0..PARTS).for_each(|part| pointwise::add_assign_with(isa, c, &sums.part(part)));
    epilogue.bias().into_iter().for_each(|bias| pointwise::add_assign_with(isa, c, bias));
    if matches!(epilogue, Epilogue::BiasRelu(_)) {
        c.iter_mut().for_each(|value| *value = if *value < 0.0 { 0.0 } else { *value });
    }
    SUMS.set(sums);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::available;

    #[test]
    fn zeros_are_skipped_and_nothing_else() {
        let (k, n) = (37, 19);
        let x: Vec<f32> = (0..k).map(|i| if i % 3 == 0 { 0.0 } else { i as f32 - 11.5 }).collect();
        // The rows of the zeros cannot be added without being noticed; the matrix only claims to be finite.
        let b: Vec<f32> = (0..k * n).map(|i| if i / n % 3 == 0 { f32::NAN } else { (i % 13) as f32 - 6.0 }).collect();
        let matrix = Matrix { finite: true, ..Matrix::new(&b, k, n) };
        let bias: Vec<f32> = (0..n).map(|i| i as f32).collect();
        for isa in available() {
            for threads in [1, 3] {
                let mut c = vec![1.0; n];
                product(isa, &Pool::new(threads), &x, &matrix, &mut c, true, Epilogue::BiasRelu(&bias));
                for (column, &got) in c.iter().enumerate() {
                    let sum: f32 = (0..k).filter(|i| i % 3 != 0).map(|i| x[i] * b[i * n + column]).sum();
                    assert_eq!(got, (1.0 + sum + bias[column]).max(0.0), "{isa}, column {column}: whole numbers and halves");
                }
            }
        }
    }
}
