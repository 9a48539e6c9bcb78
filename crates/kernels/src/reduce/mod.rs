//! Sums and extremes of a slice, in an order that depends on the length alone.
//!
//! The f32 sums add 64 lanes over blocks of 4,096 elements and the blocks in f64, so the error does not grow with the length:
//! it stays below 64 + 6 roundings of the sum of the absolute values, 70 · 2⁻²⁴, and is far smaller on average.

pub(crate) mod scalar;

use crate::versions::kernels;

kernels! {
    /// `Σ x`.
    pub fn sum / sum_with(x: &[f32]) -> f32 {}

    /// `Σ x`, every addition in f64.
    pub fn sum_f64 / sum_f64_with(x: &[f32]) -> f64 {}

    /// `Σ x²`.
    pub fn sum_squares / sum_squares_with(x: &[f32]) -> f32 {}

    /// `Σ |x|`.
    pub fn sum_abs / sum_abs_with(x: &[f32]) -> f32 {}

    /// `max |x|`; 0 for an empty slice, NaN when any element is.
    pub fn max_abs / max_abs_with(x: &[f32]) -> f32 {}

    /// Whether no element is infinite or NaN.
    pub fn is_all_finite / is_all_finite_with(x: &[f32]) -> bool {}

    /// `Σ a·b`.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn dot / dot_with(a: &[f32], b: &[f32]) -> f32 {
        assert_eq!(a.len(), b.len(), "dot: a and b differ in length");
    }

    /// The sum over rows of `x`, `[rows, cols]`: overwrites `out`, `[cols]`, or adds to it when `accumulate` is set.
    ///
    /// # Panics
    /// When `x` is not rows × cols long or `out` not cols.
    pub fn column_sums / column_sums_with(rows: usize, cols: usize, x: &[f32], out: &mut [f32], accumulate: bool) {
        assert_eq!(rows.checked_mul(cols), Some(x.len()), "column_sums: x must be {rows} x {cols}");
        assert_eq!(out.len(), cols, "column_sums: out must have a place per column");
    }
}

#[cfg(test)]
mod tests;
