//! The reference: row by row, up to 64 columns at a time.

use crate::tile::Tile;

/// Columns held at once.
const LANES: usize = 64;

/// Computes `tile`.
///
/// # Safety
/// As [`crate::tile::run`].
pub(super) unsafe fn run(tile: &Tile) {
    for group in 0..tile.groups {
        for row in 0..tile.rows {
            for from in (0..tile.lanes).step_by(LANES) {
                // SAFETY: group, row and the columns lie within the tile.
                unsafe { piece(tile, group, row, from) }
            }
        }
    }
}

/// One row, columns `from..from + LANES`.
unsafe fn piece(tile: &Tile, group: usize, row: usize, from: usize) {
    let lanes = LANES.min(tile.lanes - from);
    let mut sums = [0.0f32; LANES];
    // SAFETY: every address is one that the tile's description names, which the caller vouches for.
    unsafe {
        let a = tile.a.add(group * tile.a_group + row * tile.a_row);
        for (index, &segment) in tile.segments.iter().enumerate() {
            let mut b = tile.b.add(from + index * tile.b_segment);
            for k in 0..tile.depth {
                let factor = *a.add(segment + k * tile.a_k);
                for (lane, sum) in sums[..lanes].iter_mut().enumerate() {
                    *sum += factor * *b.add(lane);
                }
                b = b.wrapping_add(tile.b_k);
            }
        }
        let c = tile.c.add(group * tile.c_group + row * tile.c_row + from);
        for (lane, mut sum) in sums[..lanes].iter().copied().enumerate() {
            if tile.accumulate {
                sum += *c.add(lane);
            }
            if !tile.bias.is_null() {
                sum += *tile.bias.add(from + lane);
            }
            *c.add(lane) = if tile.relu && sum < 0.0 { 0.0 } else { sum };
        }
    }
}
