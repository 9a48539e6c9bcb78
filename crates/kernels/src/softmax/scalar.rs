//! The loops of [`super`]: sixteen columns at a time, the last group padded, because most rows have ten.

use crate::pointwise::math;
use crate::reduce::scalar::fold;

const LANES: usize = 16;

/// The columns from `at` on, up to sixteen, padded with `pad`.
#[inline(always)]
fn load(row: &[f32], at: usize, pad: f32) -> [f32; LANES] {
    let row = &row[at..];
    if let Some(whole) = row.first_chunk::<LANES>() {
        return *whole;
    }
    let mut lanes = [pad; LANES];
    for (lane, &v) in lanes.iter_mut().zip(row) {
        *lane = v;
    }
    lanes
}

/// Writes the lanes to the columns from `at` on, as far as there are any.
#[inline(always)]
fn store(row: &mut [f32], at: usize, lanes: &[f32; LANES]) {
    let row = &mut row[at..];
    if let Some(whole) = row.first_chunk_mut::<LANES>() {
        *whole = *lanes;
        return;
    }
    for (v, &lane) in row.iter_mut().zip(lanes) {
        *v = lane;
    }
}

#[inline(always)]
fn row_max(x: &[f32]) -> f32 {
    let mut max = [f32::NEG_INFINITY; LANES];
    for at in (0..x.len()).step_by(LANES) {
        let v = load(x, at, f32::NEG_INFINITY);
        for l in 0..LANES {
            max[l] = if v[l] > max[l] { v[l] } else { max[l] };
        }
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

/// Writes `exp(x − max)` to `y` when wanted, and answers (max, Σ exp(x − max)).
#[inline(always)]
fn exponentials(x: &[f32], mut y: Option<&mut [f32]>) -> (f32, f32) {
    let max = row_max(x);
    let mut sum = [0.0; LANES];
    for at in (0..x.len()).step_by(LANES) {
        // Padding of −∞ adds exp(−∞) = 0 to the sum.
        let mut e = load(x, at, f32::NEG_INFINITY);
        for l in 0..LANES {
            e[l] = math::exp(e[l] - max);
            sum[l] += e[l];
        }
        if let Some(y) = y.as_deref_mut() {
            store(y, at, &e);
        }
    }
    (max, fold(sum))
}

#[inline(always)]
pub(super) fn forward(rows: usize, cols: usize, x: &[f32], y: &mut [f32]) {
    if cols == 0 {
        return;
    }
    debug_assert_eq!(x.len(), rows * cols);
    for (x, y) in x.chunks_exact(cols).zip(y.chunks_exact_mut(cols)) {
        let (_, sum) = exponentials(x, Some(y));
        for v in y {
            *v /= sum;
        }
    }
}

#[inline(always)]
pub(super) fn backward(rows: usize, cols: usize, y: &[f32], dy: &[f32], dx: &mut [f32]) {
    if cols == 0 {
        return;
    }
    debug_assert_eq!(y.len(), rows * cols);
    for ((y, dy), dx) in y.chunks_exact(cols).zip(dy.chunks_exact(cols)).zip(dx.chunks_exact_mut(cols)) {
        let mut sum = [0.0; LANES];
        for at in (0..cols).step_by(LANES) {
            let (a, b) = (load(y, at, 0.0), load(dy, at, 0.0));
            for l in 0..LANES {
                sum[l] += a[l] * b[l];
            }
        }
        let sum = fold(sum);
        for ((d, &a), &b) in dx.iter_mut().zip(y).zip(dy) {
            *d = a * (b - sum);
        }
    }
}

#[inline(always)]
pub(super) fn log_softmax(rows: usize, cols: usize, x: &[f32], y: &mut [f32]) {
    if cols == 0 {
        return;
    }
    debug_assert_eq!(x.len(), rows * cols);
    for (x, y) in x.chunks_exact(cols).zip(y.chunks_exact_mut(cols)) {
        let (max, sum) = exponentials(x, None);
        let log = math::ln(sum);
        for (v, &x) in y.iter_mut().zip(x) {
            *v = (x - max) - log;
        }
    }
}
