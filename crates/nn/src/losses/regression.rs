//! Losses of one row that compare values: loss returned, gradient times `scale` written where asked for.

use super::crossentropy::EPSILON;
use super::evaluate::RowTarget;
use crate::regularizers::sign;

/// Mean over columns of (p − t)².
pub(super) fn squared(truth: RowTarget<'_>, p: &[f32], gradient: Option<&mut [f32]>, scale: f32) -> f32 {
    mean(truth, p, gradient, scale, |e| e * e, |e| 2.0 * e)
}

/// Mean over columns of |p − t|; no slope at 0.
pub(super) fn absolute(truth: RowTarget<'_>, p: &[f32], gradient: Option<&mut [f32]>, scale: f32) -> f32 {
    mean(truth, p, gradient, scale, f32::abs, sign)
}

/// Mean over columns of Huber's function: a parabola up to `delta`, straight beyond.
pub(super) fn huber(truth: RowTarget<'_>, delta: f32, p: &[f32], gradient: Option<&mut [f32]>, scale: f32) -> f32 {
    let value = |e: f32| if e.abs() <= delta { 0.5 * e * e } else { delta * e.abs() - 0.5 * delta * delta };
    let slope = |e: f32| if e.abs() <= delta { e } else { delta * sign(e) };
    mean(truth, p, gradient, scale, value, slope)
}

/// Σ t·ln(t / p), both clipped to \[ε, 1\]. Gradient −t / p where p was inside.
pub(super) fn divergence(truth: RowTarget<'_>, p: &[f32], gradient: Option<&mut [f32]>, scale: f32) -> f32 {
    let cols = p.len();
    let target = |j| truth.value(j, cols).clamp(EPSILON, 1.0);
    if let Some(g) = gradient {
        for (j, (g, v)) in g.iter_mut().zip(p).enumerate() {
            *g = if (EPSILON..=1.0).contains(v) { -target(j) / v * scale } else { 0.0 };
        }
    }
    p.iter().enumerate().map(|(j, v)| target(j) * (target(j) / v.clamp(EPSILON, 1.0)).ln()).sum()
}

fn mean(
    truth: RowTarget<'_>,
    p: &[f32],
    gradient: Option<&mut [f32]>,
    scale: f32,
    value: impl Fn(f32) -> f32,
    slope: impl Fn(f32) -> f32,
) -> f32 {
    let cols = p.len();
    if let Some(g) = gradient {
        for (j, (g, v)) in g.iter_mut().zip(p).enumerate() {
            *g = slope(v - truth.value(j, cols)) / cols as f32 * scale;
        }
    }
    p.iter().enumerate().map(|(j, v)| value(v - truth.value(j, cols))).sum::<f32>() / cols as f32
}
