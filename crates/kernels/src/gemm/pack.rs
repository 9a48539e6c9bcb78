//! Copies of parts of a matrix, contiguous in the order a tile reads them.

use super::Matrix;
use super::transpose::transpose;
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
    /// The width of a whole panel, which is copied without asking for its length.
    const PANEL: usize = 32;
    let count = columns.len();
    if b.col_stride == 1 && count == PANEL && width == PANEL {
        let (targets, _) = target.as_chunks_mut::<PANEL>();
        for (row, target) in rows.zip(targets) {
            let source = &b.data[row * b.row_stride + columns.start..][..PANEL];
            target.copy_from_slice(source);
        }
        return;
    }
    if b.col_stride == 1 {
        for (row, target) in rows.zip(target.chunks_exact_mut(width)) {
            let source = &b.data[row * b.row_stride + columns.start..][..count];
            target[..count].copy_from_slice(source);
            target[count..].fill(0.0);
        }
        return;
    }
    if count < width {
        target[..rows.len() * width].fill(0.0);
    }
    if b.row_stride == 1 && !rows.is_empty() && count > 0 {
        let source = &b.data[rows.start + columns.start * b.col_stride..];
        let target = &mut target[..rows.len() * width];
        // SAFETY: `rows` rows of `width >= count` elements.
        return unsafe { transpose((count, rows.len()), (source, b.col_stride), target.as_mut_ptr(), width) };
    }
    for (row, target) in rows.zip(target.chunks_exact_mut(width)) {
        for (column, value) in columns.clone().zip(target) {
            *value = b.data[row * b.row_stride + column * b.col_stride];
        }
    }
}
