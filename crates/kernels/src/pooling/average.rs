//! The loops of average pooling.

use super::Pool2dShape;

#[inline(always)]
fn add(to: &mut [f32], from: &[f32]) {
    for (t, &f) in to.iter_mut().zip(from) {
        *t += f;
    }
}

#[inline(always)]
pub(super) fn avg_forward(shape: &Pool2dShape, n: usize, x: &[f32], y: &mut [f32]) {
    let (s, c) = (*shape, shape.c);
    if s.output_len() == 0 {
        return;
    }
    for (x, y) in x.chunks_exact(s.input_len()).zip(y.chunks_exact_mut(s.output_len())).take(n) {
        for (window, y) in y.chunks_exact_mut(c).enumerate() {
            let (rows, columns) = (s.rows(window / s.out_w), s.columns(window % s.out_w));
            let count = (rows.len() * columns.len()) as f32;
            y.fill(0.0);
            for row in rows {
                for x in x[(row * s.w + columns.start) * c..(row * s.w + columns.end) * c].chunks_exact(c) {
                    add(y, x);
                }
            }
            for v in y {
                *v /= count;
            }
        }
    }
}

#[inline(always)]
pub(super) fn avg_backward(shape: &Pool2dShape, n: usize, dy: &[f32], dx: &mut [f32]) {
    let (s, c) = (*shape, shape.c);
    dx.fill(0.0);
    if s.output_len() == 0 {
        return;
    }
    for (dy, dx) in dy.chunks_exact(s.output_len()).zip(dx.chunks_exact_mut(s.input_len())).take(n) {
        for (window, dy) in dy.chunks_exact(c).enumerate() {
            let (rows, columns) = (s.rows(window / s.out_w), s.columns(window % s.out_w));
            let count = (rows.len() * columns.len()) as f32;
            for row in rows {
                for dx in dx[(row * s.w + columns.start) * c..(row * s.w + columns.end) * c].chunks_exact_mut(c) {
                    for (d, &g) in dx.iter_mut().zip(dy) {
                        *d += g / count;
                    }
                }
            }
        }
    }
}

#[inline(always)]
pub(super) fn global_avg_forward(n: usize, spatial: usize, c: usize, x: &[f32], y: &mut [f32]) {
    if c == 0 {
        return;
    }
    for (x, y) in x.chunks_exact(spatial * c).zip(y.chunks_exact_mut(c)).take(n) {
        y.fill(0.0);
        for x in x.chunks_exact(c) {
            add(y, x);
        }
        for v in y {
            *v /= spatial as f32;
        }
    }
}

#[inline(always)]
pub(super) fn global_avg_backward(n: usize, spatial: usize, c: usize, dy: &[f32], dx: &mut [f32]) {
    if c == 0 {
        return;
    }
    for (dy, dx) in dy.chunks_exact(c).zip(dx.chunks_exact_mut(spatial * c)).take(n) {
        for dx in dx.chunks_exact_mut(c) {
            for (d, &g) in dx.iter_mut().zip(dy) {
                *d = g / spatial as f32;
            }
        }
    }
}
