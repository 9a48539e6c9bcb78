//! Packing: the columns of a matrix as panels that are contiguous in the order a tile reads them.

use super::Matrix;

/// Lays `b` out as panels `[panel][row][width]`; columns beyond the last are 0.
pub(super) fn panels(b: &Matrix, width: usize, packed: &mut [f32]) {
    let panels = packed.chunks_exact_mut(width * b.rows.max(1));
    for (panel, rows) in panels.enumerate() {
        let from = panel * width;
        let lanes = width.min(b.cols - from);
        for (row, target) in rows.chunks_exact_mut(width).enumerate().take(b.rows) {
            let start = row * b.row_stride;
            for (lane, value) in target[..lanes].iter_mut().enumerate() {
                *value = b.data[start + (from + lane) * b.col_stride];
            }
            target[lanes..].fill(0.0);
        }
    }
}
