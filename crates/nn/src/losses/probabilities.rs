//! What losses over probabilities share.

use super::{Row, RowTarget};

/// Keras' `backend.epsilon()`: probabilities are kept this far from 0 and 1.
pub(super) const EPSILON: f32 = 1e-7;

/// 1 − ε as f32 has it.
pub(super) const HIGH: f32 = 1.0 - EPSILON;

/// −Σ t·ln softmax(z), from the logits: ln Σ e^z − z is exact where probabilities have underflowed.
/// Gradient (Σt)·softmax(z) − t; Σt is 1 for distributions, and TensorFlow takes it as such.
pub(super) fn softmax(row: Row<'_>, smoothing: f32) -> f32 {
    let Row { truth, prediction: z, gradient, scale, .. } = row;
    let cols = z.len();
    let largest = z.iter().fold(f32::NEG_INFINITY, |m, v| m.max(*v));
    let target = smoothed(truth, smoothing, cols, 1.0 / cols as f32);
    let mut total = 0.0;
    match gradient {
        Some(g) => {
            for (g, v) in g.iter_mut().zip(z) {
                *g = (v - largest).exp();
                total += *g;
            }
            let inverse = 1.0 / total;
            for (j, g) in g.iter_mut().enumerate() {
                *g = (*g * inverse - target(j)) * scale;
            }
        }
        None => {
            for v in z {
                total += (v - largest).exp();
            }
        }
    }
    let log_total = total.ln();
    match truth {
        RowTarget::Class(class) if smoothing == 0.0 => log_total - (z[class] - largest),
        _ => {
            let mut loss = 0.0;
            for (j, v) in z.iter().enumerate() {
                let t = target(j);
                // 0·∞ has no part in the sum.
                if t != 0.0 {
                    loss += t * (log_total - (v - largest));
                }
            }
            loss
        }
    }
}

/// t·(1 − s) + s·`share`.
pub(super) fn smoothed(truth: RowTarget<'_>, smoothing: f32, cols: usize, share: f32) -> impl Fn(usize) -> f32 {
    move |column| {
        let t = truth.value(column, cols);
        if smoothing == 0.0 { t } else { t * (1.0 - smoothing) + smoothing * share }
    }
}

/// Whether clipping leaves a probability as it is; outside, it has no slope.
pub(super) fn inside(p: f32) -> bool {
    (EPSILON..=HIGH).contains(&p)
}
