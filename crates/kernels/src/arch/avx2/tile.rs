//! The sizes of the register tile: 8 lanes, 16 registers. Up to 6 rows by two vectors, or 12 by one.

use super::Avx2;
use crate::tile::Tile;
use crate::tile::kernel::{Kernel, Piece, Sizes, micro, table};

/// A micro-kernel.
///
/// # Safety
/// As [`micro`], and the processor has AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
unsafe fn kernel<const G: usize, const P: usize, const V: usize>(tile: &Tile, piece: Piece) {
    // SAFETY: this function is compiled for AVX2 and FMA; the rest is the caller's promise.
    unsafe { micro::<Avx2, G, P, V>(tile, piece) }
}

/// How tiles are cut.
pub(super) const SIZES: Sizes = Sizes { vectors_for, rows_for, kernel: select };

/// How many of the `left` vectors of columns to take at once.
fn vectors_for(groups: usize, rows: usize, left: usize) -> usize {
    match (groups, rows) {
        (1, 1) if left >= 8 => 8,
        (1, ..=3) if left >= 4 => 4,
        _ => left.min(2),
    }
}

/// How many groups and rows one kernel takes at most.
fn rows_for(groups: usize, rows: usize, vectors: usize) -> (usize, usize) {
    match (groups, rows, vectors) {
        (2.., 3, ..=2) => (2, 3),
        (2.., 5, 1) => (2, 5),
        (3.., 4, 1) => (3, 4),
        (_, _, 1) => (1, 12),
        (_, _, 2) => (1, 6),
        (_, _, 4) => (1, 3),
        _ => (1, 1),
    }
}

fn select(groups: usize, rows: usize, vectors: usize) -> Kernel {
    table!((groups, rows, vectors),
        1, 1: 1 2 3 4 5 6 7 8 9 10 11 12;
        1, 2: 1 2 3 4 5 6;
        1, 4: 1 2 3;
        1, 8: 1;
        2, 1: 3 5;
        2, 2: 3;
        3, 1: 4;
    )
}
