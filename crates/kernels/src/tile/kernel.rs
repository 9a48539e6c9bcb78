//! The micro-kernel, once for all vector instruction sets: every sum of a small tile in a register.
//!
//! Each step of k loads `V` vectors of B and broadcasts one element of A per row. Loops over rows and vectors must vanish
//! for the sums to stay in registers, so they are unrolled by a macro with constant indices.

use super::Tile;
use crate::arch::{Arch, Simd, Task};

/// The part of a tile that one micro-kernel computes: where its operands start, and its columns.
#[derive(Clone, Copy)]
pub(crate) struct Piece {
    pub a: *const f32,
    pub b: *const f32,
    pub c: *mut f32,
    pub bias: *const f32,
    pub lanes: usize,
    /// Fetched ahead by the largest kernels: a cache line at each step of k.
    pub ahead: (*const f32, usize),
}

/// A micro-kernel compiled for an instruction set and a size.
pub(crate) type Kernel = unsafe fn(&Tile, Piece);

/// Repeats a block for `index` in `0..count`, unrolled; `count` is a constant of at most 14 (rows), 8 (vectors) or
/// 5 (groups). The condition is an inline constant, so that what is beyond the count is never compiled.
macro_rules! each {
    (row $index:ident of $count:ident $body:block) => {
        each!(@ $count, $index, $body, 0 1 2 3 4 5 6 7 8 9 10 11 12 13)
    };
    (vector $index:ident of $count:ident $body:block) => {
        each!(@ $count, $index, $body, 0 1 2 3 4 5 6 7)
    };
    (group $index:ident of $count:ident $body:block) => {
        each!(@ $count, $index, $body, 0 1 2 3 4)
    };
    (@ $count:ident, $index:ident, $body:block, $($value:literal)*) => {
        $(if const { $value < $count } {
            let $index: usize = $value;
            $body
        })*
    };
}

/// `G · P` rows by `V` vectors.
///
/// # Safety
/// As [`super::run`], for the rows and columns of `piece`; the caller is compiled for the instruction set `S`.
#[inline(always)]
pub(crate) unsafe fn micro<S: Simd, const G: usize, const P: usize, const V: usize>(tile: &Tile, piece: Piece) {
    // SAFETY: the caller vouches for every address that the description names, and for the instruction set.
    unsafe {
        let mask = S::mask(piece.lanes - (V - 1) * S::LANES);
        let last = V - 1;
        let row = tile.a_row;
        let mut bias = [S::zero(); V];
        if !piece.bias.is_null() {
            each!(vector v of V {
                let from = piece.bias.add(v * S::LANES);
                bias[v] = if v == last { S::load_some(from, mask) } else { S::load(from) };
            });
        }
        let mut sums = [[bias; P]; G];
        let mut columns_of_segment = piece.b;
        let (mut ahead, ahead_step) = piece.ahead;
        for &segment in tile.segments {
            let mut b = columns_of_segment;
            columns_of_segment = b.wrapping_add(tile.b_segment);
            // Three rows share a pointer: x86 addresses reach base, base + row and base + 2·row.
            let start = piece.a.add(segment);
            let mut a = [[start; 5]; G];
            each!(group g of G {
                each!(row p of P {
                    if p.is_multiple_of(3) {
                        a[g][p / 3] = start.add(g * tile.a_group + p * row);
                    }
                });
            });
            for _ in 0..tile.depth {
                if const { G == 1 && P >= 12 && V == 2 } {
                    S::prefetch(ahead);
                    ahead = ahead.wrapping_add(ahead_step);
                }
                let mut columns = [S::zero(); V];
                each!(vector v of V {
                    let from = b.add(v * S::LANES);
                    columns[v] = if v == last { S::load_some(from, mask) } else { S::load(from) };
                });
                each!(group g of G {
                    each!(row p of P {
                        let factor = S::broadcast(a[g][p / 3].add(p % 3 * row));
                        each!(vector v of V {
                            sums[g][p][v] = S::fma(factor, columns[v], sums[g][p][v]);
                        });
                    });
                    each!(row p of P {
                        if p.is_multiple_of(3) {
                            a[g][p / 3] = a[g][p / 3].wrapping_add(tile.a_k);
                        }
                    });
                });
                b = b.wrapping_add(tile.b_k);
            }
        }
        each!(group g of G {
            each!(row p of P {
                let c = piece.c.add(g * tile.c_group + p * tile.c_row);
                each!(vector v of V {
                    let to = c.add(v * S::LANES);
                    let mut sum = sums[g][p][v];
                    if tile.accumulate {
                        let before = if v == last { S::load_some(to, mask) } else { S::load(to) };
                        sum = S::add(sum, before);
                    }
                    if tile.relu {
                        sum = S::relu(sum);
                    }
                    if v == last {
                        S::store_some(to, mask, sum);
                    } else {
                        S::store(to, sum);
                    }
                });
            });
        });
    }
}

/// `sums[n] += Σ_row rows[row, n]` for `rows`, dense rows of as many elements as there are sums.
///
/// Its safety: `rows` is a multiple of `sums` in length.
pub(super) struct AddRows<'a> {
    pub rows: &'a [f32],
    pub sums: &'a mut [f32],
}

impl Task for AddRows<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Arch>(self) {
        let (lanes, rows, sums) = (self.sums.len(), self.rows.as_ptr(), self.sums.as_mut_ptr());
        let count = self.rows.len() / lanes;
        let mut from = 0;
        while from < lanes {
            // SAFETY: columns `from..` of each row, as far as the mask lets them be read.
            unsafe {
                let mask = S::mask(S::LANES.min(lanes - from));
                // Four sums in turn, because an addition takes four cycles.
                let mut parts = [S::zero(); 4];
                let mut row = rows.add(from);
                for _ in 0..count / 4 {
                    for part in &mut parts {
                        *part = S::add(*part, S::load_some(row, mask));
                        row = row.wrapping_add(lanes);
                    }
                }
                for part in &mut parts[..count % 4] {
                    *part = S::add(*part, S::load_some(row, mask));
                    row = row.wrapping_add(lanes);
                }
                let [a, b, c, d] = parts;
                let sum = S::add(S::add(a, b), S::add(c, d));
                let to = sums.add(from);
                S::store_some(to, mask, S::add(S::load_some(to, mask), sum));
            }
            from += S::LANES;
        }
    }

    unsafe fn reference(self) {
        for row in self.rows.chunks_exact(self.sums.len()) {
            self.sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
    }
}

/// The `kernel` function of the calling module for a size, out of those listed as `groups, vectors: rows …;`.
macro_rules! table {
    ($key:expr, $($groups:literal, $vectors:literal: $($rows:literal)*;)*) => {
        match $key {
            $($(
                ($groups, $rows, $vectors) => kernel::<$groups, $rows, $vectors> as Kernel,
            )*)*
            key => unreachable!("no kernel of {key:?}"),
        }
    };
}
pub(crate) use table;

/// The micro-kernels of an instruction set; one row by one vector must be among them.
pub(crate) struct Sizes {
    /// Of (groups, rows, vectors of columns left): how many vectors to take at once.
    pub vectors_for: fn(usize, usize, usize) -> usize,
    /// Of (groups, rows, vectors): how many groups and rows one kernel takes at most.
    pub rows_for: fn(usize, usize, usize) -> (usize, usize),
    /// The kernel for (groups, rows, vectors).
    pub kernel: fn(usize, usize, usize) -> Kernel,
}

/// Cuts `tile` into pieces that there are micro-kernels for, and runs them.
///
/// # Safety
/// As [`super::run`], with kernels for an instruction set that is available.
#[inline(always)]
pub(crate) unsafe fn cut(tile: &Tile, lanes: usize, sizes: &Sizes) {
    let mut from = 0;
    while from < tile.lanes {
        let vectors = (sizes.vectors_for)(tile.groups, tile.rows, (tile.lanes - from).div_ceil(lanes));
        let columns = (vectors * lanes).min(tile.lanes - from);
        let (group_step, row_step) = (sizes.rows_for)(tile.groups, tile.rows, vectors);
        let mut group = 0;
        while group < tile.groups {
            let groups = group_step.min(tile.groups - group);
            let pieces = tile.rows.div_ceil(row_step);
            // Pieces of nearly equal size: short ones leave the multipliers waiting for their sums.
            let (size, longer) = (tile.rows / pieces, tile.rows % pieces);
            let mut row = 0;
            for index in 0..pieces {
                let rows = size + usize::from(index < longer);
                // SAFETY: the piece lies within the tile, for which the caller vouches.
                unsafe {
                    let piece = Piece {
                        a: tile.a.add(group * tile.a_group + row * tile.a_row),
                        b: tile.b.add(from),
                        c: tile.c.add(group * tile.c_group + row * tile.c_row + from),
                        bias: if tile.bias.is_null() { tile.bias } else { tile.bias.add(from) },
                        lanes: columns,
                        // The first two pieces fetch a line each; the others stay where they are.
                        ahead: match index {
                            0 | 1 if !tile.ahead.0.is_null() => (tile.ahead.0.wrapping_add(16 * index), tile.ahead.1),
                            _ => (tile.b, 0),
                        },
                    };
                    if groups == group_step {
                        (sizes.kernel)(groups, rows, vectors)(tile, piece);
                    } else {
                        for single in 0..groups {
                            let piece =
                                Piece { a: piece.a.add(single * tile.a_group), c: piece.c.add(single * tile.c_group), ..piece };
                            (sizes.kernel)(1, rows, vectors)(tile, piece);
                        }
                    }
                }
                row += rows;
            }
            group += groups;
        }
        from += columns;
    }
}
