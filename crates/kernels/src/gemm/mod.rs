//! Matrix products: `C = A·B`, for the dense layers.
//!
//! The pool shares out tiles of C; each element sums its products over k in one order, so the bits of a result depend
//! neither on the number of threads nor on the schedule.

mod blocks;
mod narrow;
mod pack;
mod row;
mod transpose;

use crate::isa::{self, Isa};
use crate::pool::Pool;
use blocks::Product;
pub(crate) use transpose::transpose;

/// A matrix in somebody else's slice: element `(i, j)` is `data[i · row_stride + j · col_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    /// The elements.
    pub data: &'a [f32],
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub cols: usize,
    /// Elements from one row to the next.
    pub row_stride: usize,
    /// Elements from one column to the next.
    pub col_stride: usize,
    /// Whether all elements are known to be finite. Then rows of B that a zero multiplies need not be read; otherwise they are, because
    /// zero times NaN or infinity is NaN.
    pub finite: bool,
}

impl<'a> Matrix<'a> {
    /// A dense row-major matrix `[rows, cols]`, not known to be finite.
    ///
    /// # Panics
    /// When `data` does not hold exactly `rows · cols` elements.
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        assert_eq!(data.len(), rows * cols, "Matrix::new: the elements of [{rows}, {cols}]");
        Self { data, rows, cols, row_stride: cols, col_stride: 1, finite: false }
    }

    /// The transposed matrix, over the same elements.
    pub fn t(self) -> Self {
        Self { rows: self.cols, cols: self.rows, row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }

    /// Panics unless every element lies in `data`.
    fn check(&self, name: &str) {
        if self.rows > 0 && self.cols > 0 {
            let last = (self.rows - 1) * self.row_stride + (self.cols - 1) * self.col_stride;
            let len = self.data.len();
            assert!(last < len, "gemm: {name} reads element {last} of {len}");
        }
    }
}

/// What happens to each element of C after the product.
#[derive(Clone, Copy, Debug)]
pub enum Epilogue<'a> {
    /// Nothing.
    None,
    /// Adds `bias[column]`.
    Bias(&'a [f32]),
    /// Adds `bias[column]`, then replaces negative values by 0.
    BiasRelu(&'a [f32]),
}

impl<'a> Epilogue<'a> {
    fn bias(self) -> Option<&'a [f32]> {
        match self {
            Epilogue::None => None,
            Epilogue::Bias(bias) | Epilogue::BiasRelu(bias) => Some(bias),
        }
    }
}

/// Most columns of B for which the rows of a transposed A go into the lanes, and how many times as many rows there are then.
const FEW_COLUMNS: usize = 14;
const LONG: usize = 8;

/// `c = epilogue(a · b)`, or `epilogue(c + a · b)` when `accumulate`; `c` is row-major `[a.rows, b.cols]`.
///
/// # Panics
/// When the shapes do not fit, a matrix reaches beyond its slice, or `c` or the bias has another length.
pub fn gemm(pool: &Pool, a: Matrix, b: Matrix, c: &mut [f32], accumulate: bool, epilogue: Epilogue) {
    gemm_with(isa::active(), pool, a, b, c, accumulate, epilogue);
}

/// [`gemm`] by the kernels of `isa`.
///
/// # Panics
/// As [`gemm`], and when this processor lacks `isa`.
pub fn gemm_with(isa: Isa, pool: &Pool, a: Matrix, b: Matrix, c: &mut [f32], accumulate: bool, epilogue: Epilogue) {
    assert!(isa.is_available(), "gemm: this processor has no {isa}");
    assert_eq!(a.cols, b.rows, "gemm: the columns of A and the rows of B");
    assert_eq!(c.len(), a.rows * b.cols, "gemm: the elements of C [{}, {}]", a.rows, b.cols);
    a.check("A");
    b.check("B");
    if let Some(bias) = epilogue.bias() {
        assert_eq!(bias.len(), b.cols, "gemm: the bias, one value per column");
    }
    if c.is_empty() {
        return;
    }
    if a.rows == 1 && a.col_stride == 1 && b.col_stride == 1 {
        let x = &a.data[..a.cols];
        if row::pays(b.rows, b.cols) {
            return row::product(isa, pool, x, &b, c, accumulate, epilogue);
        }
        if narrow::pays(b.cols) {
            return narrow::product(isa, x, &b, c, accumulate, epilogue);
        }
    }
    // Reading B against its grain costs a transposed copy: of B itself, or of A and C, with their parts exchanged.
    let copy_b = b.rows * b.cols;
    let copy_others = a.rows * (a.cols + b.cols);
    let against = b.col_stride != 1 && copy_others < 2 * copy_b;
    // A matrix that lies down, times a few columns, would be copied for one use: better the long side in the lanes.
    let lying = a.col_stride != 1 && a.row_stride == 1 && b.cols <= FEW_COLUMNS && a.rows >= LONG * b.cols;
    let product = if against || lying {
        Product { isa, a: b.t(), b: a.t(), accumulate, epilogue, transposed: true }
    } else {
        Product { isa, a, b, accumulate, epilogue, transposed: false }
    };
    product.run(pool, c);
}

#[cfg(test)]
mod tests;
