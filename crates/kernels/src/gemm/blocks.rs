//! Cutting a product into blocks that stay in the caches, and sharing them out.
//!
//! A task computes some rows by some columns of C, over all of k in blocks: a block of B (`depth` by a panel of columns)
//! stays in the first-level cache while the rows pass. Operands are copied where reading them in place would be slow: B
//! when rows are far apart and used often, A when its rows are not contiguous.

use super::transpose::transpose;
use super::{Epilogue, Matrix, pack};
use crate::isa::Isa;
use crate::memory::AlignedVec;
use crate::pool::Pool;
use crate::tile::{self, Tile};
use std::cell::Cell;
use std::ops::Range;

/// k in a block: 28 KB of B, and 12 KB of A for 14 rows.
const DEPTH: usize = 224;
/// k in a block when B is shared: it then streams from the second-level cache, and A is read in long runs.
const SHARED_DEPTH: usize = 512;
/// Columns of a panel: two AVX-512 vectors.
const PANEL: usize = 32;
/// Columns of a panel for products of a few rows, which only stream through B.
const WIDE_PANEL: usize = 128;
/// Up to this many rows B is not worth a copy.
const FEW_ROWS: usize = 28;
/// Rows of B up to this many elements apart are read in place.
const NEAR: usize = 64;
/// A copy of all of B up to this size stays in the second-level cache of every core.
const SHARED: usize = 1 << 18;
/// Rows in a task: when A streams past a shared B, and when B streams past A.
const ROWS: usize = 112;
const MANY_ROWS: usize = 252;
/// Below this many multiplications waking the pool costs more than it gains.
const SERIAL: usize = 1 << 18;

thread_local! {
    /// B, copied by the caller for all workers. Grows to the largest product of this thread and stays.
    static SHARED_B: Cell<AlignedVec> = const { Cell::new(AlignedVec::empty()) };
    /// The blocks of a worker.
    static BLOCKS: Cell<AlignedVec> = const { Cell::new(AlignedVec::empty()) };
}

/// `c = epilogue((c +) a · b)`; when `transposed`, what is computed is `cᵀ`, and the epilogue's columns are rows here.
pub(super) struct Product<'a> {
    pub isa: Isa,
    pub a: Matrix<'a>,
    pub b: Matrix<'a>,
    pub accumulate: bool,
    pub epilogue: Epilogue<'a>,
    pub transposed: bool,
}

/// Where tasks read B.
#[derive(Clone, Copy)]
enum SourceB<'a> {
    InPlace,
    /// Panels `[panel][k][PANEL]`.
    Shared(&'a [f32]),
    /// Each task copies a block at a time.
    Blocks,
}

/// C, which tasks write disjoint blocks of.
#[derive(Clone, Copy)]
struct Output(*mut f32);

// SAFETY: tasks write disjoint elements, see `Product::run`.
unsafe impl Sync for Output {}

impl Output {
    fn get(&self) -> *mut f32 {
        self.0
    }
}

impl Product<'_> {
    pub(super) fn run(&self, pool: &Pool, c: &mut [f32]) {
        let (m, n, k) = (self.a.rows, self.b.cols, self.a.cols);
        let mut shared = SHARED_B.take();
        let contiguous = self.b.col_stride == 1;
        let source = if contiguous && (m <= FEW_ROWS || self.b.row_stride <= NEAR) {
            SourceB::InPlace
        } else if k * n <= SHARED || !contiguous {
            let panels = shared.scratch(n.next_multiple_of(PANEL) * k);
            pack::panels(&self.b, PANEL, panels);
            SourceB::Shared(panels)
        } else {
            SourceB::Blocks
        };
        let panel = if m <= 3 { WIDE_PANEL } else { PANEL };
        let panels = n.div_ceil(panel);
        let (rows, group) = match source {
            SourceB::Blocks => (MANY_ROWS, (panels / (2 * pool.threads())).clamp(1, 8)),
            // Too few columns to share: the threads share the rows.
            _ if panels == 1 && !self.transposed => (m.div_ceil(pool.threads()).clamp(FEW_ROWS / 2, ROWS), 1),
            _ if m > ROWS => (ROWS, if self.transposed { 2 } else { 32 }),
            // One block of rows: the threads share the columns.
            _ => (ROWS, (panels / (2 * pool.threads())).clamp(1, if self.transposed { 2 } else { 32 })),
        };
        let groups = panels.div_ceil(group);
        let tasks = m.div_ceil(rows) * groups;
        let output = Output(c.as_mut_ptr());
        let task = |_worker: usize, task: usize| {
            let (row, column) = (task / groups * rows, task % groups * group * panel);
            let rows = row..(row + rows).min(m);
            let columns = column..(column + group * panel).min(n);
            // SAFETY: tasks have disjoint rows and columns of C, whose borrow outlives the region.
            unsafe { self.task(source, panel, rows, columns, output.get()) }
        };
        if m * n * k < SERIAL {
            (0..tasks).for_each(|index| task(0, index));
        } else {
            pool.run(tasks, &task);
        }
        SHARED_B.set(shared);
    }

    /// Computes some rows and columns of C.
    ///
    /// # Safety
    /// `c` is all of C, nobody else uses these elements of it, and A and B lie within their slices.
    unsafe fn task(&self, source: SourceB, panel: usize, rows: Range<usize>, columns: Range<usize>, c: *mut f32) {
        let mut blocks = BLOCKS.take();
        let copy_a = self.a.col_stride != 1;
        let deepest = if matches!(source, SourceB::Shared(_)) { SHARED_DEPTH } else { DEPTH };
        let depth = deepest.min(self.a.cols).max(1);
        let c_len = if self.transposed { rows.len() * columns.len() } else { 0 };
        let a_len = if copy_a { depth * rows.len() } else { 0 };
        let b_len = if matches!(source, SourceB::Blocks) { depth * PANEL } else { 0 };
        let (block_c, rest) = blocks.scratch(c_len + a_len + b_len + 32).split_at_mut(c_len);
        let (block_a, block_b) = rest.split_at_mut(a_len.next_multiple_of(16));
        let (target, c_row) = if self.transposed {
            (block_c.as_mut_ptr(), columns.len())
        } else {
            // SAFETY: the first element of this task's part of C.
            (unsafe { c.add(rows.start * self.b.cols + columns.start) }, self.b.cols)
        };
        let bias = if self.transposed { None } else { self.epilogue.bias() };
        let mut from = 0;
        loop {
            let ks = from..(from + depth).min(self.a.cols);
            let (first, last) = (from == 0, ks.end == self.a.cols);
            let (mut a, mut a_row, mut a_k) = (
                self.a.data.as_ptr().wrapping_add(rows.start * self.a.row_stride + from * self.a.col_stride),
                self.a.row_stride,
                self.a.col_stride,
            );
            if copy_a {
                pack::block(&self.a.t(), ks.clone(), rows.clone(), rows.len(), block_a);
                (a, a_row, a_k) = (block_a.as_ptr(), 1, rows.len());
            }
            for column in columns.clone().step_by(panel) {
                let lanes = panel.min(columns.end - column);
                let (b, b_k) = match source {
                    SourceB::InPlace => {
                        let start = from * self.b.row_stride + column;
                        (self.b.data.as_ptr().wrapping_add(start), self.b.row_stride)
                    }
                    SourceB::Shared(panels) => (panels.as_ptr().wrapping_add(column * self.b.rows + from * PANEL), PANEL),
                    SourceB::Blocks => {
                        pack::block(&self.b, ks.clone(), column..column + lanes, PANEL, block_b);
                        (block_b.as_ptr(), PANEL)
                    }
                };
                let next = match source {
                    SourceB::Blocks if column + panel < columns.end => from * self.b.row_stride + column + panel,
                    _ => ks.end * self.b.row_stride + columns.start,
                };
                let ahead = match source {
                    SourceB::Blocks => (self.b.data.as_ptr().wrapping_add(next), self.b.row_stride),
                    _ => (std::ptr::null(), 0),
                };
                // SAFETY: A and B lie in their slices or in the blocks just copied; C is this task's own.
                unsafe {
                    let tile = Tile {
                        rows: rows.len(),
                        lanes,
                        a,
                        a_row,
                        a_k,
                        depth: ks.len(),
                        b,
                        b_k,
                        c: target.add(column - columns.start),
                        c_row,
                        accumulate: !first || (self.accumulate && !self.transposed),
                        bias: bias.filter(|_| last).map_or(std::ptr::null(), |bias| bias[column..].as_ptr()),
                        relu: last && !self.transposed && matches!(self.epilogue, Epilogue::BiasRelu(_)),
                        ahead,
                        ..Tile::PLAIN
                    };
                    tile::run(self.isa, &tile);
                }
            }
            from = ks.end;
            if last {
                break;
            }
        }
        if self.transposed {
            // SAFETY: the caller's promise.
            unsafe { self.finish(block_c, rows, columns, c) }
        }
        BLOCKS.set(blocks);
    }

    /// Stores a block of Cᵀ into C, with the epilogue.
    ///
    /// # Safety
    /// As [`Self::task`].
    unsafe fn finish(&self, block: &[f32], rows: Range<usize>, columns: Range<usize>, c: *mut f32) {
        let relu = matches!(self.epilogue, Epilogue::BiasRelu(_));
        let start = columns.start * self.a.rows + rows.start;
        if !self.accumulate && self.epilogue.bias().is_none() {
            let stride = self.a.rows;
            // SAFETY: from the first to the last of this task's elements.
            unsafe { transpose((rows.len(), columns.len()), (block, columns.len()), c.add(start), stride) }
            return;
        }
        for (index, column) in columns.clone().enumerate() {
            // SAFETY: row `column` of C, as far as it is this task's.
            let target = unsafe { std::slice::from_raw_parts_mut(c.add(column * self.a.rows + rows.start), rows.len()) };
            let values = block[index..].iter().step_by(columns.len());
            for (row, (target, &value)) in target.iter_mut().zip(values).enumerate() {
                let before = if self.accumulate { *target } else { 0.0 };
                let sum = before + value + self.epilogue.bias().map_or(0.0, |bias| bias[rows.start + row]);
                *target = if relu && sum < 0.0 { 0.0 } else { sum };
            }
        }
    }
}
