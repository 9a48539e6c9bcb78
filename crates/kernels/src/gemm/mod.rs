//! Matrix products: `C = A·B`, for the dense layers.
//!
//! The pool shares out tiles of C; each element sums its products over k in one order, so the bits of a result depend
//! neither on the number of threads nor on the schedule.

mod pack;

use crate::isa::{self, Isa};
use crate::memory::AlignedVec;
use crate::pool::Pool;
use crate::tile::{self, Tile};
use std::cell::Cell;

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
}

impl<'a> Matrix<'a> {
    /// A dense row-major matrix `[rows, cols]`.
    ///
    /// # Panics
    /// When `data` does not hold exactly `rows · cols` elements.
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        assert_eq!(data.len(), rows * cols, "Matrix::new: the elements of [{rows}, {cols}]");
        Self { data, rows, cols, row_stride: cols, col_stride: 1 }
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

/// Columns of a packed panel of B.
const PANEL: usize = 32;
/// Rows of C in one task.
const TASK_ROWS: usize = 56;
/// Below this many multiplications waking the pool costs more than it gains.
const SERIAL: usize = 1 << 18;

thread_local! {
    /// Packed operands; grows to the largest product of this thread and stays.
    static PACKED: Cell<AlignedVec> = Cell::new(AlignedVec::default());
}

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
    let mut packed = PACKED.take();
    let panels = b.cols.div_ceil(PANEL);
    let direct = b.col_stride == 1;
    let storage = packed.scratch(if direct { 0 } else { panels * PANEL * b.rows });
    if !direct {
        pack::panels(&b, PANEL, storage);
    }
    let target = Output(c.as_mut_ptr());
    let row_blocks = a.rows.div_ceil(TASK_ROWS);
    let bias = epilogue.bias().map_or(std::ptr::null(), <[f32]>::as_ptr);
    let bias = Input(bias);
    let storage = Input(storage.as_ptr());
    let task = |_worker: usize, task: usize| {
        let (block, panel) = (task / panels, task % panels);
        let (row, col) = (block * TASK_ROWS, panel * PANEL);
        let (bias, storage, target) = (bias.get(), storage.get(), target.get());
        // SAFETY: `check` has shown that A and B lie in their slices; the packed panels are as `pack` laid them out;
        // the tiles of C are disjoint, and the borrow of `c` outlives the region.
        unsafe {
            let tile = Tile {
                groups: 1,
                rows: TASK_ROWS.min(a.rows - row),
                lanes: PANEL.min(b.cols - col),
                a: a.data.as_ptr().wrapping_add(row * a.row_stride),
                a_group: 0,
                a_row: a.row_stride,
                a_k: a.col_stride,
                segments: &[0],
                depth: a.cols,
                b: if direct { b.data.as_ptr().wrapping_add(col) } else { storage.add(panel * PANEL * b.rows) },
                b_k: if direct { b.row_stride } else { PANEL },
                b_segment: 0,
                c: target.add(row * b.cols + col),
                c_group: 0,
                c_row: b.cols,
                accumulate,
                bias: if bias.is_null() { bias } else { bias.add(col) },
                relu: matches!(epilogue, Epilogue::BiasRelu(_)),
            };
            tile::run(isa, &tile);
        }
    };
    let tasks = row_blocks * panels;
    if a.rows * a.cols * b.cols < SERIAL {
        (0..tasks).for_each(|index| task(0, index));
    } else {
        pool.run(tasks, &task);
    }
    PACKED.set(packed);
}

/// A pointer that tasks write disjoint tiles through.
#[derive(Clone, Copy)]
struct Output(*mut f32);
/// A pointer that tasks only read through.
#[derive(Clone, Copy)]
struct Input(*const f32);

// SAFETY: tasks write disjoint elements, see `gemm_with`.
unsafe impl Sync for Output {}
// SAFETY: nobody writes while tasks read.
unsafe impl Sync for Input {}

impl Output {
    fn get(&self) -> *mut f32 {
        self.0
    }
}

impl Input {
    fn get(&self) -> *const f32 {
        self.0
    }
}

#[cfg(test)]
mod tests;
