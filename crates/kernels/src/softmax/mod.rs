//! Softmax over the rows of a [rows, cols] matrix (keras/src/ops/nn.py, `softmax`).

mod scalar;

use crate::versions::kernels;

fn check(name: &str, rows: usize, cols: usize, lens: &[usize]) {
    let expected = rows.checked_mul(cols);
    assert!(lens.iter().all(|len| Some(*len) == expected), "{name}: expected slices of {rows} x {cols}, got lengths {lens:?}");
}

kernels! {
    /// `y = exp(x − max) / Σ exp(x − max)` per row (overwrites); a NaN makes its whole row NaN.
    ///
    /// # Panics
    /// When `x` or `y` is not rows × cols long.
    pub fn forward / forward_with(rows: usize, cols: usize, x: &[f32], y: &mut [f32]) {
        check("softmax forward", rows, cols, &[x.len(), y.len()]);
    }

    /// `dx = y · (dy − Σ dy·y)` per row (overwrites), from the softmax's output `y`.
    ///
    /// # Panics
    /// When a slice is not rows × cols long.
    pub fn backward / backward_with(rows: usize, cols: usize, y: &[f32], dy: &[f32], dx: &mut [f32]) {
        check("softmax backward", rows, cols, &[y.len(), dy.len(), dx.len()]);
    }

    /// `y = x − max − ln Σ exp(x − max)` per row (overwrites).
    ///
    /// # Panics
    /// When `x` or `y` is not rows × cols long.
    pub fn log_softmax / log_softmax_with(rows: usize, cols: usize, x: &[f32], y: &mut [f32]) {
        check("log_softmax", rows, cols, &[x.len(), y.len()]);
    }
}

#[cfg(test)]
mod tests;
