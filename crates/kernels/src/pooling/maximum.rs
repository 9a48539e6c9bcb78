//! The loops of max pooling: any window, and 2×2 windows side by side, which nearly every network uses.

#![allow(clippy::needless_range_loop, reason = "a lane index runs over several arrays")]

use super::Pool2dShape;

/// The larger, or NaN if either is.
#[inline(always)]
fn larger(m: f32, v: f32) -> f32 {
    if v > m || v.is_nan() { v } else { m }
}

#[inline(always)]
pub(super) fn max_forward_loops(shape: &Pool2dShape, n: usize, x: &[f32], y: &mut [f32]) {
    let (s, c) = (*shape, shape.c);
    if s.output_len() == 0 {
        return;
    }
    for (x, y) in x.chunks_exact(s.input_len()).zip(y.chunks_exact_mut(s.output_len())).take(n) {
        if s.is_two_by_two() {
            match c {
                1 => two_by_two_forward_single(&s, x, y),
                _ if c % 32 == 0 => two_by_two_forward::<32>(&s, x, y),
                _ if c % 8 == 0 => two_by_two_forward::<8>(&s, x, y),
                _ => two_by_two_forward::<1>(&s, x, y),
            }
            continue;
        }
        for (window, y) in y.chunks_exact_mut(c).enumerate() {
            let (rows, columns) = (s.rows(window / s.out_w), s.columns(window % s.out_w));
            let first = (rows.start * s.w + columns.start) * c;
            y.copy_from_slice(&x[first..first + c]);
            for row in rows {
                for x in x[(row * s.w + columns.start) * c..(row * s.w + columns.end) * c].chunks_exact(c) {
                    for (y, &x) in y.iter_mut().zip(x) {
                        *y = larger(*y, x);
                    }
                }
            }
        }
    }
}

#[inline(always)]
pub(super) fn max_backward_loops(shape: &Pool2dShape, n: usize, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    let (s, c) = (*shape, shape.c);
    if s.output_len() == 0 {
        dx.fill(0.0);
        return;
    }
    let outputs = y.chunks_exact(s.output_len()).zip(dy.chunks_exact(s.output_len()));
    let inputs = x.chunks_exact(s.input_len()).zip(dx.chunks_exact_mut(s.input_len()));
    for ((x, dx), (y, dy)) in inputs.zip(outputs).take(n) {
        if s.is_two_by_two() {
            match c {
                1 => two_by_two_backward_single(&s, x, y, dy, dx),
                _ if c % 32 == 0 => two_by_two_backward::<32>(&s, x, y, dy, dx),
                _ => two_by_two_backward::<1>(&s, x, y, dy, dx),
            }
            continue;
        }
        dx.fill(0.0);
        for window in 0..s.out_h * s.out_w {
            let at = window * c;
            let mut k = 0;
            while k + 16 <= c {
                window_backward::<16>(&s, window, k, x, &y[at + k..], &dy[at + k..], dx);
                k += 16;
            }
            while k < c {
                window_backward::<1>(&s, window, k, x, &y[at + k..], &dy[at + k..], dx);
                k += 1;
            }
        }
    }
}

/// `L` channels from `k` on of one window: what is left of the gradient goes to the first element that equals the maximum.
#[inline(always)]
fn window_backward<const L: usize>(s: &Pool2dShape, window: usize, k: usize, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    let (rows, columns) = (s.rows(window / s.out_w), s.columns(window % s.out_w));
    let mut left = [0.0; L];
    left.copy_from_slice(&dy[..L]);
    let y = &y[..L];
    for row in rows {
        for column in columns.clone() {
            let at = (row * s.w + column) * s.c + k;
            let (x, dx) = (&x[at..at + L], &mut dx[at..at + L]);
            for l in 0..L {
                // Not below the maximum: equal to it, or the maximum is NaN.
                let below = x[l] < y[l];
                dx[l] += if below { 0.0 } else { left[l] };
                left[l] = if below { left[l] } else { 0.0 };
            }
        }
    }
}

/// The maximum of four, NaN if any is.
#[inline(always)]
fn largest([a, b, c, d]: [f32; 4]) -> f32 {
    let (ab, cd) = (if a > b { a } else { b }, if c > d { c } else { d });
    let max = if ab > cd { ab } else { cd };
    let nan = (a.is_nan() | b.is_nan()) | (c.is_nan() | d.is_nan());
    if nan { f32::NAN } else { max }
}

/// Shares `g` out: all of it to the first of four that is not below `y`, their maximum; to the last if the others are.
#[inline(always)]
fn share([a, b, c, _]: [f32; 4], y: f32, g: f32) -> [f32; 4] {
    let (below_a, below_b, below_c) = (a < y, b < y, c < y);
    let below_ab = below_a & below_b;
    let below_abc = below_ab & below_c;
    [
        if below_a { 0.0 } else { g },
        if below_a & !below_b { g } else { 0.0 },
        if below_ab & !below_c { g } else { 0.0 },
        if below_abc { g } else { 0.0 },
    ]
}

/// One image whose channels are a multiple of `L`.
#[inline(always)]
fn two_by_two_forward<const L: usize>(s: &Pool2dShape, x: &[f32], y: &mut [f32]) {
    let (line, groups) = (s.w * s.c, s.c / L);
    for (y, x) in y.chunks_exact_mut(s.out_w * s.c).zip(x.chunks_exact(2 * line)) {
        let (upper, lower) = x.split_at(line);
        let (upper, lower) = (upper.as_chunks::<L>().0, lower.as_chunks::<L>().0);
        let pairs = upper.chunks_exact(2 * groups).zip(lower.chunks_exact(2 * groups));
        for (y, (upper, lower)) in y.as_chunks_mut::<L>().0.chunks_exact_mut(groups).zip(pairs) {
            let ((a, b), (c, d)) = (upper.split_at(groups), lower.split_at(groups));
            for (g, y) in y.iter_mut().enumerate() {
                let (a, b, c, d) = (&a[g], &b[g], &c[g], &d[g]);
                for l in 0..L {
                    y[l] = largest([a[l], b[l], c[l], d[l]]);
                }
            }
        }
    }
}

#[inline(always)]
fn two_by_two_forward_single(s: &Pool2dShape, x: &[f32], y: &mut [f32]) {
    for (y, x) in y.chunks_exact_mut(s.out_w).zip(x.chunks_exact(2 * s.w)) {
        let (upper, lower) = x.split_at(s.w);
        let pairs = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
        for (y, (&[a, b], &[c, d])) in y.iter_mut().zip(pairs) {
            *y = largest([a, b, c, d]);
        }
    }
}

#[inline(always)]
fn two_by_two_backward<const L: usize>(s: &Pool2dShape, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    let (line, groups) = (s.w * s.c, s.c / L);
    let covered = 2 * s.out_w * groups;
    let outputs = y.chunks_exact(s.out_w * s.c).zip(dy.chunks_exact(s.out_w * s.c));
    let mut inputs = x.chunks_exact(2 * line).zip(dx.chunks_exact_mut(2 * line));
    for ((y, dy), (x, dx)) in outputs.zip(&mut inputs) {
        let (x_up, x_low) = x.split_at(line);
        let (dx_up, dx_low) = dx.split_at_mut(line);
        let (x_up, x_low) = (x_up.as_chunks::<L>().0, x_low.as_chunks::<L>().0);
        let (dx_up, rest_up) = dx_up.as_chunks_mut::<L>().0.split_at_mut(covered);
        let (dx_low, rest_low) = dx_low.as_chunks_mut::<L>().0.split_at_mut(covered);
        // Columns that no window reaches.
        rest_up.fill([0.0; L]);
        rest_low.fill([0.0; L]);
        let x_pairs = x_up.chunks_exact(2 * groups).zip(x_low.chunks_exact(2 * groups));
        let dx_pairs = dx_up.chunks_exact_mut(2 * groups).zip(dx_low.chunks_exact_mut(2 * groups));
        let outputs = y.as_chunks::<L>().0.chunks_exact(groups).zip(dy.as_chunks::<L>().0.chunks_exact(groups));
        for (((x_up, x_low), (dx_up, dx_low)), (y, dy)) in x_pairs.zip(dx_pairs).zip(outputs) {
            let ((xa, xb), (xc, xd)) = (x_up.split_at(groups), x_low.split_at(groups));
            let ((da, db), (dc, dd)) = (dx_up.split_at_mut(groups), dx_low.split_at_mut(groups));
            for (g, (y, dy)) in y.iter().zip(dy).enumerate() {
                let (xa, xb, xc, xd) = (&xa[g], &xb[g], &xc[g], &xd[g]);
                let (da, db, dc, dd) = (&mut da[g], &mut db[g], &mut dc[g], &mut dd[g]);
                for l in 0..L {
                    [da[l], db[l], dc[l], dd[l]] = share([xa[l], xb[l], xc[l], xd[l]], y[l], dy[l]);
                }
            }
        }
    }
    uncovered_rows(s, dx);
}

#[inline(always)]
fn two_by_two_backward_single(s: &Pool2dShape, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    let outputs = y.chunks_exact(s.out_w).zip(dy.chunks_exact(s.out_w));
    let inputs = x.chunks_exact(2 * s.w).zip(dx.chunks_exact_mut(2 * s.w));
    for ((y, dy), (x, dx)) in outputs.zip(inputs) {
        let (x_up, x_low) = x.split_at(s.w);
        let (dx_up, dx_low) = dx.split_at_mut(s.w);
        dx_up[2 * s.out_w..].fill(0.0);
        dx_low[2 * s.out_w..].fill(0.0);
        let x_pairs = x_up.as_chunks::<2>().0.iter().zip(x_low.as_chunks::<2>().0);
        let dx_pairs = dx_up.as_chunks_mut::<2>().0.iter_mut().zip(dx_low.as_chunks_mut::<2>().0);
        for (((&[a, b], &[c, d]), (up, low)), (&y, &dy)) in x_pairs.zip(dx_pairs).zip(y.iter().zip(dy)) {
            let [da, db, dc, dd] = share([a, b, c, d], y, dy);
            (*up, *low) = ([da, db], [dc, dd]);
        }
    }
    uncovered_rows(s, dx);
}

/// Rows below the last window have no gradient.
#[inline(always)]
fn uncovered_rows(s: &Pool2dShape, dx: &mut [f32]) {
    dx[2 * s.out_h * s.w * s.c..].fill(0.0);
}

#[inline(always)]
pub(super) fn global_max_forward(n: usize, spatial: usize, c: usize, x: &[f32], y: &mut [f32]) {
    if c == 0 {
        return;
    }
    for (x, y) in x.chunks_exact(spatial * c).zip(y.chunks_exact_mut(c)).take(n) {
        y.copy_from_slice(&x[..c]);
        for x in x.chunks_exact(c) {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = larger(*y, x);
            }
        }
    }
}

/// Channels whose maxima are counted at a time.
const GROUP: usize = 64;

#[inline(always)]
pub(super) fn global_max_backward(n: usize, spatial: usize, c: usize, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    if c == 0 {
        return;
    }
    let outputs = y.chunks_exact(c).zip(dy.chunks_exact(c));
    let inputs = x.chunks_exact(spatial * c).zip(dx.chunks_exact_mut(spatial * c));
    for ((y, dy), (x, dx)) in outputs.zip(inputs).take(n) {
        for start in (0..c).step_by(GROUP) {
            let channels = start..(start + GROUP).min(c);
            let (y, dy) = (&y[channels.clone()], &dy[channels.clone()]);
            let mut counts = [0.0; GROUP];
            let counts = &mut counts[..channels.len()];
            for x in x.chunks_exact(c) {
                for ((count, &x), &y) in counts.iter_mut().zip(&x[channels.clone()]).zip(y) {
                    *count += if x == y { 1.0 } else { 0.0 };
                }
            }
            for (x, dx) in x.chunks_exact(c).zip(dx.chunks_exact_mut(c)) {
                let (x, dx) = (&x[channels.clone()], &mut dx[channels.clone()]);
                for ((((dx, &x), &y), &dy), &count) in dx.iter_mut().zip(x).zip(y).zip(dy).zip(&*counts) {
                    let equal = if x == y { dy / count } else { 0.0 };
                    *dx = if y.is_nan() { f32::NAN } else { equal };
                }
            }
        }
    }
}
