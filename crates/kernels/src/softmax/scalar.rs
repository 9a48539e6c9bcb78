//! The loops of [`super`]: sixteen columns at a time.

#![allow(clippy::needless_range_loop, reason = "a lane index runs over several arrays")]

use crate::pointwise::math;
use crate::reduce::scalar::fold;

const LANES: usize = 16;
/// Elements that go through the exponential in one loop: several short rows, or a piece of the first-level cache.
const BLOCK: usize = 2048;

/// Compiles the call for ten columns and for any: most classifiers here have ten, and the loops over a row are short.
macro_rules! by_columns {
    ($cols:ident => $call:expr) => {
        match $cols {
            0 => {}
            10 => {
                let $cols = 10;
                $call;
            }
            $cols => $call,
        }
    };
}

#[inline(always)]
fn row_max(x: &[f32]) -> f32 {
    if x.len() < LANES {
        let mut max = f32::NEG_INFINITY;
        for &v in x {
            max = if v > max { v } else { max };
        }
        return max;
    }
    let mut max = [f32::NEG_INFINITY; LANES];
    let (groups, rest) = x.as_chunks::<LANES>();
    for group in groups {
        for l in 0..LANES {
            max[l] = if group[l] > max[l] { group[l] } else { max[l] };
        }
    }
    for (m, &v) in max.iter_mut().zip(rest) {
        *m = if v > *m { v } else { *m };
    }
    let mut width = LANES / 2;
    while width > 0 {
        for l in 0..width {
            max[l] = if max[l + width] > max[l] { max[l + width] } else { max[l] };
        }
        width /= 2;
    }
    max[0]
}

#[inline(always)]
fn row_sum(x: &[f32]) -> f32 {
    if x.len() < LANES {
        return x.iter().sum();
    }
    let mut sum = [0.0; LANES];
    let (groups, rest) = x.as_chunks::<LANES>();
    for group in groups {
        for l in 0..LANES {
            sum[l] += group[l];
        }
    }
    for (s, &v) in sum.iter_mut().zip(rest) {
        *s += v;
    }
    fold(sum)
}

/// `y = exp(x − max)` per row. One loop runs over several rows: a row of ten alone would leave the lanes half empty.
#[inline(always)]
fn exponentials(cols: usize, x: &[f32], y: &mut [f32]) {
    for (x, y) in x.chunks_exact(cols).zip(y.chunks_exact_mut(cols)) {
        let max = row_max(x);
        for (y, &x) in y.iter_mut().zip(x) {
            *y = x - max;
        }
    }
    for v in y {
        *v = math::exp(*v);
    }
}

/// Elements of as many whole rows as make a block, one at least.
#[inline(always)]
fn block_len(cols: usize) -> usize {
    (BLOCK / cols).max(1) * cols
}

#[inline(always)]
pub(super) fn forward(_rows: usize, cols: usize, x: &[f32], y: &mut [f32]) {
    by_columns!(cols => forward_rows(cols, x, y));
}

#[inline(always)]
fn forward_rows(cols: usize, x: &[f32], y: &mut [f32]) {
    for (x, y) in x.chunks(block_len(cols)).zip(y.chunks_mut(block_len(cols))) {
        exponentials(cols, x, y);
        for y in y.chunks_exact_mut(cols) {
            let sum = row_sum(y);
            for v in y {
                *v /= sum;
            }
        }
    }
}

#[inline(always)]
pub(super) fn backward(_rows: usize, cols: usize, y: &[f32], dy: &[f32], dx: &mut [f32]) {
    by_columns!(cols => backward_rows(cols, y, dy, dx));
}

#[inline(always)]
fn backward_rows(cols: usize, y: &[f32], dy: &[f32], dx: &mut [f32]) {
    for ((y, dy), dx) in y.chunks_exact(cols).zip(dy.chunks_exact(cols)).zip(dx.chunks_exact_mut(cols)) {
        for ((d, &a), &b) in dx.iter_mut().zip(y).zip(dy) {
            *d = a * b;
        }
        let sum = row_sum(dx);
        for ((d, &a), &b) in dx.iter_mut().zip(y).zip(dy) {
            *d = a * (b - sum);
        }
    }
}

#[inline(always)]
pub(super) fn log_softmax(_rows: usize, cols: usize, x: &[f32], y: &mut [f32]) {
    by_columns!(cols => log_softmax_rows(cols, x, y));
}

#[inline(always)]
fn log_softmax_rows(cols: usize, x: &[f32], y: &mut [f32]) {
    for (x, y) in x.chunks(block_len(cols)).zip(y.chunks_mut(block_len(cols))) {
        exponentials(cols, x, y);
        for (x, y) in x.chunks_exact(cols).zip(y.chunks_exact_mut(cols)) {
            let (max, log) = (row_max(x), math::ln(row_sum(y)));
            for (y, &x) in y.iter_mut().zip(x) {
                *y = (x - max) - log;
            }
        }
    }
}
