//! The sizes of the register tile: 16 lanes, 32 registers. Up to 14 rows by two vectors or 6 by four, which leaves room for B and one broadcast.

use super::Avx512;
use crate::tile::Tile;
use crate::tile::kernel::{Kernel, Piece, Sizes, micro, table};

/// A micro-kernel.
///
/// # Safety
/// As [`micro`], and the processor has AVX-512.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
unsafe fn kernel<const G: usize, const P: usize, const V: usize>(tile: &Tile, piece: Piece) {
    // SAFETY: this function is compiled for AVX-512; the rest is the caller's promise.
    unsafe { micro::<Avx512, G, P, V>(tile, piece) }
}

/// How tiles are cut.
pub(super) const SIZES: Sizes = Sizes { vectors_for, rows_for, kernel: select };

/// How many of the `left` vectors of columns to take at once.
fn vectors_for(groups: usize, rows: usize, left: usize) -> usize {
    match (groups, rows) {
        (1, ..=3) if left >= 8 => 8,
        (5, 5) => 1,
        (_, ..=6) if left >= 4 => 4,
        _ => left.min(2),
    }
}

/// How many groups and rows one kernel takes at most.
fn rows_for(groups: usize, rows: usize, vectors: usize) -> (usize, usize) {
    match (groups, rows, vectors) {
        (5, 5, 1) => (5, 5),
        (3.., 4, 1) => (3, 4),
        (3.., 3, ..=2) => (3, 3),
        (2.., 3, 4) => (2, 3),
        (2.., 5, ..=2) => (2, 5),
        (_, _, ..=2) => (1, 14),
        (_, _, 4) => (1, 6),
        _ => (1, 3),
    }
}

fn select(groups: usize, rows: usize, vectors: usize) -> Kernel {
    table!((groups, rows, vectors),
        1, 1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
        1, 2: 1 2 3 4 5 6 7 8 9 10 11 12 13 14;
        1, 4: 1 2 3 4 5 6;
        1, 8: 1 2 3;
        5, 1: 5;
        3, 1: 3 4;
        3, 2: 3;
        2, 1: 5;
        2, 2: 5;
        2, 4: 3;
    )
}
