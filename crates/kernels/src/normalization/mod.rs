//! Normalisation: over the rows of a `[rows, cols]` matrix per column (batch), and over the columns of each row (layer).
//!
//! One thread. A caller who shares rows out among threads combines the partial results in an order of its own.

mod scalar;

use crate::versions::kernels;

fn check_columns(name: &str, cols: usize, lens: &[usize], rows: &[usize]) {
    assert!(
        cols > 0 && lens.iter().all(|len| *len == cols),
        "{name}: expected {cols} values a column vector, got lengths {lens:?}"
    );
    let fits = rows.iter().all(|len| len.is_multiple_of(cols) && *len == rows[0]);
    assert!(fits, "{name}: expected equal whole rows of {cols}, got lengths {rows:?}");
}

kernels! {
    /// Per column of `x` [rows, cols], with cols = `mean.len()`: the mean, and Σ (x − mean)² in `m2` (both overwritten).
    ///
    /// Two passes, so nothing cancels; rows ≥ 1.
    ///
    /// # Panics
    /// When `x` is not a whole number of rows, at least one, or the lengths of `mean` and `m2` differ.
    pub fn moments / moments_with(x: &[f32], mean: &mut [f32], m2: &mut [f32]) {
        check_columns("moments", mean.len(), &[m2.len()], &[x.len()]);
        assert!(!x.is_empty(), "moments: no rows");
    }

    /// `y = x · scale + shift` per column (overwrites `y`).
    ///
    /// # Panics
    /// When `x` and `y` are not equally many whole rows, or `scale` and `shift` differ in length.
    pub fn scale_shift / scale_shift_with(x: &[f32], scale: &[f32], shift: &[f32], y: &mut [f32]) {
        check_columns("scale_shift", scale.len(), &[shift.len()], &[x.len(), y.len()]);
    }

    /// Per column: `d_beta = Σ dy`, `d_gamma = Σ dy · (x − mean) · inverse` (both overwritten).
    ///
    /// # Panics
    /// When the matrices are not equally many whole rows, or the vectors differ in length.
    pub fn gradient_sums / gradient_sums_with(
        x: &[f32], dy: &[f32], mean: &[f32], inverse: &[f32], d_beta: &mut [f32], d_gamma: &mut [f32],
    ) {
        check_columns("gradient_sums", mean.len(), &[inverse.len(), d_beta.len(), d_gamma.len()], &[x.len(), dy.len()]);
    }

    /// `dx = a · dy − b · (x − mean) − c` per column (overwrites `dx`).
    ///
    /// # Panics
    /// When the matrices are not equally many whole rows, or the vectors differ in length.
    pub fn gradient / gradient_with(
        x: &[f32], dy: &[f32], mean: &[f32], a: &[f32], b: &[f32], c: &[f32], dx: &mut [f32],
    ) {
        check_columns("gradient", mean.len(), &[a.len(), b.len(), c.len()], &[x.len(), dy.len(), dx.len()]);
    }

    /// Per row of `cols` values: `y = (x − mean) / √(variance + epsilon) · gamma + beta` (overwrites `y`); the variance is biased, an
    /// absent `gamma` is 1 and an absent `beta` 0. (keras/src/ops/nn.py, `layer_normalization`.)
    ///
    /// # Panics
    /// When `x` and `y` are not equally many whole rows, or `gamma` or `beta` is not `cols` long.
    pub fn layer_forward / layer_forward_with(
        cols: usize, epsilon: f32, x: &[f32], gamma: Option<&[f32]>, beta: Option<&[f32]>, y: &mut [f32],
    ) {
        let len = |v: Option<&[f32]>| v.map_or(cols, <[f32]>::len);
        check_columns("layer_forward", cols, &[len(gamma), len(beta)], &[x.len(), y.len()]);
    }

    /// The gradient of [`layer_forward`]: overwrites `dx` and adds to `d_gamma` and `d_beta`, each where present.
    ///
    /// # Panics
    /// When the matrices are not equally many whole rows, or a vector is not `cols` long.
    #[allow(clippy::too_many_arguments, reason = "inputs, weights and where each gradient goes")]
    pub fn layer_backward / layer_backward_with(
        cols: usize, epsilon: f32, x: &[f32], gamma: Option<&[f32]>, dy: &[f32],
        dx: Option<&mut [f32]>, d_gamma: Option<&mut [f32]>, d_beta: Option<&mut [f32]>,
    ) {
        let len = |v: &Option<&mut [f32]>| v.as_ref().map_or(cols, |v| v.len());
        let dx_len = dx.as_ref().map_or(x.len(), |v| v.len());
        let vectors = [gamma.map_or(cols, <[f32]>::len), len(&d_gamma), len(&d_beta)];
        check_columns("layer_backward", cols, &vectors, &[x.len(), dy.len(), dx_len]);
    }
}

#[cfg(test)]
mod tests;
