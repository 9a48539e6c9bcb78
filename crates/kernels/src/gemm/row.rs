//! One row times a matrix, as when a single picture is classified: the matrix is read once, so its way through memory is
//! all that counts.
//!
//! A task owns some columns and adds the matrix's rows to them, several at a time, each from start to end. Rows whose factor
//! is 0 (after relu, half of them) are not read.

use super::Epilogue;
use crate::pool::Pool;

/// Rows added in one pass over the columns.
const TOGETHER: usize = 8;
/// Fewest columns of a task: shorter pieces of rows leave the memory's prefetching behind.
const COLUMNS: usize = 256;
/// Below this many multiplications waking the pool costs more than it gains.
const SERIAL: usize = 1 << 18;

crate::versions::kernels! {
    /// `y[n] += Σ_i factors[i] · rows[i][n]`, one `i` after the other.
    #[allow(dead_code, reason = "the matrix product names its instruction set")]
    fn add_scaled / add_scaled_with(factors: &[f32; 8], rows: &[&[f32]; 8], y: &mut [f32]) {
        assert!(rows.iter().all(|row| row.len() == y.len()), "add_scaled: the lengths of rows and y");
    }

    /// `y[n] += factor · row[n]`.
    #[allow(dead_code, reason = "as above")]
    fn add_one / add_one_with(factor: f32, row: &[f32], y: &mut [f32]) {
        assert_eq!(row.len(), y.len(), "add_one: the lengths of row and y");
    }
}

/// `c = epilogue((c +) x · b)` for a matrix `b` of rows `pitch` apart.
pub(super) fn product(
    isa: crate::isa::Isa,
    pool: &Pool,
    x: &[f32],
    (b, pitch): (&[f32], usize),
    c: &mut [f32],
    accumulate: bool,
    epilogue: Epilogue,
) {
    let n = c.len();
    let parts = if n * x.len() < SERIAL { 1 } else { pool.threads().min(n / COLUMNS).max(1) };
    let step = n.div_ceil(parts).next_multiple_of(16);
    pool.for_each_chunk(c, step, &|task, c| {
        if !accumulate {
            c.fill(0.0);
        }
        let columns = task * step..task * step + c.len();
        let row = |k: usize| &b[k * pitch..][columns.clone()];
        let mut nonzero = x.iter().enumerate().filter(|&(_, &factor)| factor != 0.0);
        loop {
            let mut factors = [0.0; TOGETHER];
            let mut rows: [&[f32]; TOGETHER] = [&[]; TOGETHER];
            let mut count = 0;
            for (k, &factor) in nonzero.by_ref().take(TOGETHER) {
                (factors[count], rows[count]) = (factor, row(k));
                count += 1;
            }
            if count < TOGETHER {
                (0..count).for_each(|i| add_one_with(isa, factors[i], rows[i], c));
                break;
            }
            add_scaled_with(isa, &factors, &rows, c);
        }
        finish(&epilogue, columns.start, c);
    });
}

fn finish(epilogue: &Epilogue, from: usize, c: &mut [f32]) {
    if let Some(bias) = epilogue.bias() {
        c.iter_mut().zip(&bias[from..]).for_each(|(value, bias)| *value += bias);
    }
    if matches!(epilogue, Epilogue::BiasRelu(_)) {
        c.iter_mut().for_each(|value| *value = if *value < 0.0 { 0.0 } else { *value });
    }
}

mod scalar {
    #[inline(always)]
    pub(super) fn add_scaled(factors: &[f32; 8], rows: &[&[f32]; 8], y: &mut [f32]) {
        let rows = rows.map(|row| &row[..y.len()]);
        for (n, value) in y.iter_mut().enumerate() {
            let mut sum = *value;
            for (factor, row) in factors.iter().zip(&rows) {
                sum += factor * row[n];
            }
            *value = sum;
        }
    }

    #[inline(always)]
    pub(super) fn add_one(factor: f32, row: &[f32], y: &mut [f32]) {
        y.iter_mut().zip(row).for_each(|(value, row)| *value += factor * row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::available;

    #[test]
    fn zeros_are_skipped_and_nothing_else() {
        let (k, n) = (37, 19);
        let x: Vec<f32> = (0..k).map(|i| if i % 3 == 0 { 0.0 } else { i as f32 - 11.5 }).collect();
        // The rows of the zeros cannot be added without being noticed.
        let b: Vec<f32> = (0..k * n).map(|i| if i / n % 3 == 0 { f32::NAN } else { (i % 13) as f32 - 6.0 }).collect();
        let bias: Vec<f32> = (0..n).map(|i| i as f32).collect();
        for isa in available() {
            for threads in [1, 3] {
                let mut c = vec![1.0; n];
                product(isa, &Pool::new(threads), &x, (&b, n), &mut c, true, Epilogue::BiasRelu(&bias));
                for (column, &got) in c.iter().enumerate() {
                    let sum: f32 = (0..k).filter(|i| i % 3 != 0).map(|i| x[i] * b[i * n + column]).sum();
                    assert_eq!(got, (1.0 + sum + bias[column]).max(0.0), "{isa}, column {column}: whole numbers and halves");
                }
            }
        }
    }
}
