//! Copies of parts of a matrix, contiguous in the order a tile reads them.

use super::Matrix;
use std::ops::Range;

/// Lays all of `b` out as panels `[panel][row][width]`; columns beyond the last are 0.
pub(super) fn panels(b: &Matrix, width: usize, packed: &mut [f32]) {
    for (panel, target) in packed.chunks_exact_mut(width * b.rows.max(1)).enumerate() {
        let from = panel * width;
        block(b, 0..b.rows, from..(from + width).min(b.cols), width, target);
    }
}

/// Copies `rows` by `columns` of `b` to rows of `width` elements; what is left of each row is 0.
pub(super) fn block(b: &Matrix, rows: Range<usize>, columns: Range<usize>, width: usize, target: &mut [f32]) {
    /// A cache line: as far as columns are read before the next one's turn.
    const LINE: usize = 16;
    let count = columns.len();
    if b.col_stride == 1 {
        for (row, target) in rows.zip(target.chunks_exact_mut(width)) {
            let source = &b.data[row * b.row_stride + columns.start..][..count];
            target[..count].copy_from_slice(source);
            target[count..].fill(0.0);
        }
        return;
    }
    for (index, start) in rows.clone().step_by(LINE).enumerate() {
        let depth = LINE.min(rows.end - start);
        let target = &mut target[index * LINE * width..][..depth * width];
        for (lane, column) in columns.clone().enumerate() {
            let first = start * b.row_stride + column * b.col_stride;
            for (k, row) in target.chunks_exact_mut(width).enumerate() {
                row[lane] = b.data[first + k * b.row_stride];
            }
        }
        for row in target.chunks_exact_mut(width) {
            row[count..].fill(0.0);
        }
    }
}
