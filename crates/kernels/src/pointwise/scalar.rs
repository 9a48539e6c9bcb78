//! The loops of [`super`].

use super::functions::{Function, with_function};
use super::{Activation, Stream};
use crate::rng::scalar::{BLOCK, block, unit};

#[inline(always)]
fn map<F: Function>(f: F, x: &[f32], y: &mut [f32]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = f.value(x);
    }
}

#[inline(always)]
fn map_in_place<F: Function>(f: F, y: &mut [f32]) {
    for y in y {
        *y = f.value(*y);
    }
}

#[inline(always)]
fn map_gradient<F: Function>(f: F, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    for (((dx, &x), &y), &dy) in dx.iter_mut().zip(x).zip(y).zip(dy) {
        *dx = f.gradient(x, y, dy);
    }
}

#[inline(always)]
fn map_gradient_in_place<F: Function>(f: F, y: &[f32], dy: &mut [f32]) {
    for (dy, &y) in dy.iter_mut().zip(y) {
        // A function whose derivative follows from the output does not look at x.
        *dy = f.gradient(y, y, *dy);
    }
}

#[inline(always)]
pub(super) fn forward(act: Activation, x: &[f32], y: &mut [f32]) {
    with_function!(act, f => map(f, x, y));
}

#[inline(always)]
pub(super) fn forward_in_place(act: Activation, y: &mut [f32]) {
    with_function!(act, f => map_in_place(f, y));
}

#[inline(always)]
pub(super) fn backward(act: Activation, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    with_function!(act, f => map_gradient(f, x, y, dy, dx));
}

#[inline(always)]
pub(super) fn backward_in_place(act: Activation, y: &[f32], dy: &mut [f32]) {
    with_function!(act, f => map_gradient_in_place(f, y, dy));
}

#[inline(always)]
pub(super) fn add(a: &[f32], b: &[f32], out: &mut [f32]) {
    for ((o, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *o = a + b;
    }
}

#[inline(always)]
pub(super) fn add_assign(dst: &mut [f32], src: &[f32]) {
    for (d, &s) in dst.iter_mut().zip(src) {
        *d += s;
    }
}

#[inline(always)]
pub(super) fn mul(a: &[f32], b: &[f32], out: &mut [f32]) {
    for ((o, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *o = a * b;
    }
}

#[inline(always)]
pub(super) fn mul_assign(dst: &mut [f32], src: &[f32]) {
    for (d, &s) in dst.iter_mut().zip(src) {
        *d *= s;
    }
}

#[inline(always)]
pub(super) fn scale(dst: &mut [f32], s: f32) {
    for d in dst {
        *d *= s;
    }
}

#[inline(always)]
pub(super) fn axpy(a: f32, x: &[f32], y: &mut [f32]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

#[inline(always)]
pub(super) fn add_bias(y: &mut [f32], bias: &[f32]) {
    if bias.is_empty() {
        return;
    }
    for row in y.chunks_exact_mut(bias.len()) {
        add_assign(row, bias);
    }
}

#[inline(always)]
pub(super) fn fill(dst: &mut [f32], value: f32) {
    dst.fill(value);
}

/// One element: `keep` is its uniform number.
#[inline(always)]
fn drop_one(word: u32, rate: f32, factor: f32, v: f32) -> f32 {
    if unit(word) >= rate { v * factor } else { 0.0 }
}

#[inline(always)]
pub(super) fn dropout(stream: &Stream, rate: f32, x: &[f32], y: &mut [f32]) {
    let factor = 1.0 / (1.0 - rate);
    for (index, (x, y)) in x.chunks(BLOCK).zip(y.chunks_mut(BLOCK)).enumerate() {
        let words = block(stream, index as u64);
        for ((y, &x), &word) in y.iter_mut().zip(x).zip(&words) {
            *y = drop_one(word, rate, factor, x);
        }
    }
}

#[inline(always)]
pub(super) fn dropout_backward(stream: &Stream, rate: f32, dy: &[f32], dx: &mut [f32]) {
    dropout(stream, rate, dy, dx);
}

#[inline(always)]
pub(super) fn dropout_in_place(stream: &Stream, rate: f32, y: &mut [f32]) {
    let factor = 1.0 / (1.0 - rate);
    for (index, y) in y.chunks_mut(BLOCK).enumerate() {
        let words = block(stream, index as u64);
        for (y, &word) in y.iter_mut().zip(&words) {
            *y = drop_one(word, rate, factor, *y);
        }
    }
}
