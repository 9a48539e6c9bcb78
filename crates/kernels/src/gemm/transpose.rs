//! Transposed copies, four by four elements at a time.

use crate::arch::transpose_square;

/// `target[j · target_row + i] = source[i · source_row + j]` for `i < rows`, `j < cols`.
///
/// # Safety
/// The elements of `target` can be written, and nothing else refers to them.
///
/// # Panics
/// When the source is too short.
pub(crate) unsafe fn transpose(
    (rows, cols): (usize, usize),
    (source, source_row): (&[f32], usize),
    target: *mut f32,
    target_row: usize,
) {
    if rows == 0 || cols == 0 {
        return;
    }
    assert!(source.len() >= (rows - 1) * source_row + cols, "transpose: the source is too short");
    let (whole_rows, whole_cols) = (rows / 4 * 4, cols / 4 * 4);
    // SAFETY: `(i, j)` is always an element, which the source holds and the caller lets be written.
    unsafe {
        let from = |i: usize, j: usize| source.as_ptr().add(i * source_row + j);
        let to = |i: usize, j: usize| target.add(j * target_row + i);
        for j in (0..whole_cols).step_by(4) {
            for i in (0..whole_rows).step_by(4) {
                transpose_square(from(i, j), source_row, to(i, j), target_row);
            }
            for (i, j) in (whole_rows..rows).flat_map(|i| (j..j + 4).map(move |j| (i, j))) {
                *to(i, j) = *from(i, j);
            }
        }
        for (j, i) in (whole_cols..cols).flat_map(|j| (0..rows).map(move |i| (j, i))) {
            *to(i, j) = *from(i, j);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_small_size_between_guards() {
        for (rows, cols) in (0..10).flat_map(|rows| (0..10).map(move |cols| (rows, cols))) {
            let (source_row, target_row) = (cols + 2, rows + 3);
            let source: Vec<f32> = (0..rows * source_row).map(|index| index as f32).collect();
            let mut target = vec![-1.0; cols * target_row];
            // SAFETY: `target` has `cols` rows of at least `rows` elements.
            unsafe { transpose((rows, cols), (&source, source_row), target.as_mut_ptr(), target_row) }
            for (index, &value) in target.iter().enumerate() {
                let (j, i) = (index / target_row, index % target_row);
                let expected = if i < rows { source[i * source_row + j] } else { -1.0 };
                assert_eq!(value, expected, "[{rows}, {cols}], element {i}, {j}");
            }
        }
    }
}
