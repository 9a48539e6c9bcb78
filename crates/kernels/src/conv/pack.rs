//! Weights in panels: blocks of `[row][column]`, as many columns as the register tile takes at once, filled up with zeros.

use crate::gemm::transpose;

/// Fills a block of rows of `panel` values with copies of rows of `count`; `source(row)` begins with them.
pub(super) fn copy_rows<'a>(block: &mut [f32], panel: usize, count: usize, source: impl Fn(usize) -> &'a [f32]) {
    for (index, row) in block.chunks_exact_mut(panel).enumerate() {
        row[..count].copy_from_slice(&source(index)[..count]);
        row[count..].fill(0.0);
    }
}

/// Fills a block of rows of `panel` values with the transpose of `count` rows, `pitch` apart, of `source`.
pub(super) fn transpose_rows(block: &mut [f32], panel: usize, count: usize, source: &[f32], pitch: usize) {
    let rows = block.len() / panel;
    if count < panel {
        block.fill(0.0);
    }
    assert!(count <= panel);
    // SAFETY: the block has `rows` rows of `panel` elements, of which `count` are written; it is borrowed exclusively.
    unsafe { transpose((count, rows), (source, pitch), block.as_mut_ptr(), panel) }
}
