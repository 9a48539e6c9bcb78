//! The loops of [`super`], in Keras' order of operations.

use super::{Adadelta, Adagrad, Adam, Adamax, Ftrl, Lion, Nadam, RMSprop};
use crate::pointwise::math::clamp;

#[inline(always)]
pub(super) fn sgd(lr: f32, w: &mut [f32], g: &[f32]) {
    for (w, &g) in w.iter_mut().zip(g) {
        *w -= g * lr;
    }
}

#[inline(always)]
pub(super) fn sgd_momentum(lr: f32, momentum: f32, nesterov: bool, w: &mut [f32], g: &[f32], m: &mut [f32]) {
    if nesterov {
        for ((w, &g), m) in w.iter_mut().zip(g).zip(m) {
            *m = *m * momentum - g * lr;
            *w += *m * momentum - g * lr;
        }
    } else {
        for ((w, &g), m) in w.iter_mut().zip(g).zip(m) {
            *m = *m * momentum - g * lr;
            *w += *m;
        }
    }
}

#[inline(always)]
pub(super) fn adam(p: &Adam, w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
    let p = *p;
    for (((w, &g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
        *m += (g - *m) * p.one_minus_beta_1;
        *v += (g * g - *v) * p.one_minus_beta_2;
        *w -= *m * p.alpha / (v.sqrt() + p.epsilon);
    }
}

#[inline(always)]
pub(super) fn adam_amsgrad(p: &Adam, w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], v_max: &mut [f32]) {
    let p = *p;
    for ((((w, &g), m), v), v_max) in w.iter_mut().zip(g).zip(m).zip(v).zip(v_max) {
        *m += (g - *m) * p.one_minus_beta_1;
        *v += (g * g - *v) * p.one_minus_beta_2;
        // The order of operands lets a NaN of v through.
        *v_max = if *v_max > *v { *v_max } else { *v };
        *w -= *m * p.alpha / (v_max.sqrt() + p.epsilon);
    }
}

#[inline(always)]
pub(super) fn rmsprop(p: &RMSprop, w: &mut [f32], g: &[f32], v: &mut [f32], m: Option<&mut [f32]>, average: Option<&mut [f32]>) {
    let p = *p;
    /// The new mean square of the gradient.
    macro_rules! square {
        ($v:ident, $g:ident) => {{
            *$v = p.rho * *$v + p.one_minus_rho * ($g * $g);
            *$v
        }};
    }
    macro_rules! centre {
        ($a:ident, $g:ident) => {{
            *$a = p.rho * *$a + p.one_minus_rho * $g;
            *$a * *$a
        }};
    }
    match (m, average) {
        (None, None) => {
            for ((w, &g), v) in w.iter_mut().zip(g).zip(v) {
                *w -= p.lr * g / (square!(v, g) + p.epsilon).sqrt();
            }
        }
        (Some(m), None) => {
            for (((w, &g), v), m) in w.iter_mut().zip(g).zip(v).zip(m) {
                *m = p.momentum * *m + p.lr * g / (square!(v, g) + p.epsilon).sqrt();
                *w -= *m;
            }
        }
        (None, Some(a)) => {
            for (((w, &g), v), a) in w.iter_mut().zip(g).zip(v).zip(a) {
                *w -= p.lr * g / (square!(v, g) - centre!(a, g) + p.epsilon).sqrt();
            }
        }
        (Some(m), Some(a)) => {
            for ((((w, &g), v), m), a) in w.iter_mut().zip(g).zip(v).zip(m).zip(a) {
                *m = p.momentum * *m + p.lr * g / (square!(v, g) - centre!(a, g) + p.epsilon).sqrt();
                *w -= *m;
            }
        }
    }
}

#[inline(always)]
pub(super) fn adagrad(p: &Adagrad, w: &mut [f32], g: &[f32], a: &mut [f32]) {
    let p = *p;
    for ((w, &g), a) in w.iter_mut().zip(g).zip(a) {
        *a += g * g;
        *w -= p.lr * g / (*a + p.epsilon).sqrt();
    }
}

#[inline(always)]
pub(super) fn adadelta(p: &Adadelta, w: &mut [f32], g: &[f32], a: &mut [f32], d: &mut [f32]) {
    let p = *p;
    for (((w, &g), a), d) in w.iter_mut().zip(g).zip(a).zip(d) {
        *a = p.rho * *a + p.one_minus_rho * (g * g);
        let delta = -((*d + p.epsilon).sqrt() * g / (*a + p.epsilon).sqrt());
        *d = p.rho * *d + p.one_minus_rho * (delta * delta);
        *w += p.lr * delta;
    }
}

#[inline(always)]
pub(super) fn nadam(p: &Nadam, w: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
    let p = *p;
    for (((w, &g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
        *m += (g - *m) * p.one_minus_beta_1;
        *v += (g * g - *v) * p.one_minus_beta_2;
        let m_hat = p.u_next * *m / p.one_minus_u_product_next + p.one_minus_u * g / p.one_minus_u_product;
        let v_hat = *v / p.one_minus_beta_2_power;
        *w -= m_hat * p.lr / (v_hat.sqrt() + p.epsilon);
    }
}

/// −1, 0 or 1; 0 for NaN.
#[inline(always)]
fn sign(x: f32) -> f32 {
    let positive = if x > 0.0 { 1.0 } else { 0.0 };
    if x < 0.0 { -1.0 } else { positive }
}

#[inline(always)]
pub(super) fn lion(p: &Lion, w: &mut [f32], g: &[f32], m: &mut [f32]) {
    let p = *p;
    for ((w, &g), m) in w.iter_mut().zip(g).zip(m) {
        *w -= p.lr * sign(*m * p.beta_1 + g * p.one_minus_beta_1);
        *m = *m * p.beta_2 + g * p.one_minus_beta_2;
    }
}

#[inline(always)]
pub(super) fn adamax(p: &Adamax, w: &mut [f32], g: &[f32], m: &mut [f32], u: &mut [f32]) {
    let p = *p;
    for (((w, &g), m), u) in w.iter_mut().zip(g).zip(m).zip(u) {
        *m += (g - *m) * p.one_minus_beta_1;
        let decayed = p.beta_2 * *u;
        *u = if decayed > g.abs() { decayed } else { g.abs() };
        *w -= p.lr * *m / (p.one_minus_beta_1_power * (*u + p.epsilon));
    }
}

#[inline(always)]
pub(super) fn ftrl(p: &Ftrl, w: &mut [f32], g: &[f32], a: &mut [f32], z: &mut [f32]) {
    /// Keras' default exponent as the root that it is: a power is no vector instruction.
    #[inline(always)]
    fn update(p: Ftrl, power: impl Fn(f32) -> f32, w: &mut [f32], g: &[f32], a: &mut [f32], z: &mut [f32]) {
        for (((w, &g), a), z) in w.iter_mut().zip(g).zip(a).zip(z) {
            let sum = *a + g * g;
            let new = power(sum);
            *z += (g + p.twice_shrinkage * *w) - (new - power(*a)) / p.lr * *w;
            *a = sum;
            *w = (clamp(*z, -p.l1, p.l1) - *z) / (new / p.lr + p.twice_l2);
        }
    }
    if p.power == 0.5 { update(*p, f32::sqrt, w, g, a, z) } else { update(*p, |x| x.powf(p.power), w, g, a, z) }
}

#[inline(always)]
pub(super) fn weight_decay(w: &mut [f32], wd: f32, lr: f32) {
    for w in w {
        *w -= *w * wd * lr;
    }
}

#[inline(always)]
pub(super) fn ema(momentum: f32, average: &mut [f32], w: &[f32]) {
    let rest = 1.0 - momentum;
    for (a, &w) in average.iter_mut().zip(w) {
        *a = momentum * *a + rest * w;
    }
}

#[inline(always)]
pub(super) fn clip_value(g: &mut [f32], c: f32) {
    for g in g {
        *g = clamp(*g, -c, c);
    }
}

#[inline(always)]
pub(super) fn add_l1_l2_gradient(w: &[f32], g: &mut [f32], l1: f32, l2: f32) {
    let twice = 2.0 * l2;
    if l1 == 0.0 {
        for (g, &w) in g.iter_mut().zip(w) {
            *g += twice * w;
        }
    } else {
        for (g, &w) in g.iter_mut().zip(w) {
            *g += l1 * sign(w) + twice * w;
        }
    }
}
