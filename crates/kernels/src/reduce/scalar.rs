//! The loops of [`super`]. Lanes are written out as arrays, because a compiler must not reorder a sum of floats by itself.

#![allow(clippy::needless_range_loop, reason = "a lane index runs over several arrays")]

const LANES: usize = 64;
/// Elements summed in f32 before their sum goes into the f64 total.
const BLOCK: usize = 64 * LANES;

/// The sum of the lanes as a balanced tree.
#[inline(always)]
pub(crate) fn fold<const N: usize>(mut lanes: [f32; N]) -> f32 {
    let mut width = N / 2;
    while width > 0 {
        for l in 0..width {
            lanes[l] += lanes[l + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// Sums `$term` over a slice, or over two of one length.
macro_rules! total {
    ($x:expr, |$v:ident| $term:expr) => {{
        let mut total = 0f64;
        for block in $x.chunks(BLOCK) {
            let mut lanes = [0f32; LANES];
            let (groups, rest) = block.as_chunks::<LANES>();
            for group in groups {
                for l in 0..LANES {
                    let $v = group[l];
                    lanes[l] += $term;
                }
            }
            for (lane, &$v) in lanes.iter_mut().zip(rest) {
                *lane += $term;
            }
            total += f64::from(fold(lanes));
        }
        total as f32
    }};
}

#[inline(always)]
pub(super) fn sum(x: &[f32]) -> f32 {
    total!(x, |v| v)
}

#[inline(always)]
pub(super) fn sum_squares(x: &[f32]) -> f32 {
    total!(x, |v| v * v)
}

#[inline(always)]
pub(super) fn sum_abs(x: &[f32]) -> f32 {
    total!(x, |v| v.abs())
}

#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut total = 0f64;
    for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
        let mut lanes = [0f32; LANES];
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        for (a, b) in a.iter().zip(b) {
            for l in 0..LANES {
                lanes[l] += a[l] * b[l];
            }
        }
        for ((lane, &a), &b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
            *lane += a * b;
        }
        total += f64::from(fold(lanes));
    }
    total as f32
}

#[inline(always)]
pub(super) fn sum_f64(x: &[f32]) -> f64 {
    const WIDE: usize = 32;
    let mut lanes = [0f64; WIDE];
    let (groups, rest) = x.as_chunks::<WIDE>();
    for group in groups {
        for l in 0..WIDE {
            lanes[l] += f64::from(group[l]);
        }
    }
    for (lane, &v) in lanes.iter_mut().zip(rest) {
        *lane += f64::from(v);
    }
    lanes.iter().sum()
}

/// Without their sign, floats order like their bits, NaN above infinity: an integer maximum finds all three.
#[inline(always)]
fn max_abs_bits(x: &[f32]) -> u32 {
    let mut max = 0;
    for v in x {
        max = (v.to_bits() & 0x7fff_ffff).max(max);
    }
    max
}

#[inline(always)]
pub(super) fn max_abs(x: &[f32]) -> f32 {
    f32::from_bits(max_abs_bits(x))
}

#[inline(always)]
pub(super) fn is_all_finite(x: &[f32]) -> bool {
    max_abs_bits(x) < f32::INFINITY.to_bits()
}

#[inline(always)]
pub(super) fn column_sums(rows: usize, cols: usize, x: &[f32], out: &mut [f32], accumulate: bool) {
    if !accumulate {
        out.fill(0.0);
    }
    if cols == 0 || rows == 0 {
        return;
    }
    if cols <= WIDTH / 2 {
        narrow_column_sums(cols, x, out);
        return;
    }
    // Four rows at a time: out is loaded and stored a quarter as often.
    let mut groups = x.chunks_exact(4 * cols);
    for group in &mut groups {
        let (a, rest) = group.split_at(cols);
        let (b, rest) = rest.split_at(cols);
        let (c, d) = rest.split_at(cols);
        for i in 0..cols {
            out[i] += (a[i] + b[i]) + (c[i] + d[i]);
        }
    }
    for row in groups.remainder().chunks_exact(cols) {
        for (o, &v) in out.iter_mut().zip(row) {
            *o += v;
        }
    }
}

const WIDTH: usize = 128;

/// As many rows as fit side by side are added as one long row, for few columns would leave most lanes idle.
#[inline(always)]
fn narrow_column_sums(cols: usize, x: &[f32], out: &mut [f32]) {
    let long = WIDTH / cols * cols;
    let mut buffer = [0f32; WIDTH];
    let lanes = &mut buffer[..long];
    for group in x.chunks(long) {
        for (lane, &v) in lanes.iter_mut().zip(group) {
            *lane += v;
        }
    }
    for row in lanes.chunks_exact(cols) {
        for (o, &v) in out.iter_mut().zip(row) {
            *o += v;
        }
    }
}
