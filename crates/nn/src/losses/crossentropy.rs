//! Cross-entropies of one row: loss returned, gradient times `scale` written where asked for.

use super::evaluate::RowTarget;

/// Keras' `backend.epsilon()`: probabilities are kept this far from 0 and 1.
pub(super) const EPSILON: f32 = 1e-7;

/// 1 − ε as f32 has it.
const HIGH: f32 = 1.0 - EPSILON;

/// −Σ t·ln softmax(z), from the logits: ln Σ e^z − z is exact where probabilities have underflowed.
/// Gradient (Σt)·softmax(z) − t; Σt is 1 for distributions, and TensorFlow takes it as such.
pub(super) fn softmax(truth: RowTarget<'_>, smoothing: f32, z: &[f32], gradient: Option<&mut [f32]>, scale: f32) -> f32 {
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

/// Sparse cross-entropy of probabilities, as Keras does it: clip, take logarithms, then treat those as logits (which
/// normalises). Gradient through the clip: (q − t) / p where p was inside.
pub(super) fn sparse(class: usize, p: &[f32], gradient: Option<&mut [f32]>, scale: f32) -> f32 {
    let total: f32 = p.iter().map(|v| v.clamp(EPSILON, HIGH)).sum();
    if let Some(g) = gradient {
        for (j, (g, v)) in g.iter_mut().zip(p).enumerate() {
            let hit = f32::from(u8::from(j == class));
            *g = if inside(*v) { (v / total - hit) / v * scale } else { 0.0 };
        }
    }
    total.ln() - p[class].clamp(EPSILON, HIGH).ln()
}

/// Categorical cross-entropy of probabilities: normalise, clip, −Σ t·ln q.
/// Gradient through both: with a_j = −t_j / q_j inside the clip, (a_j − Σ a·q) / Σp.
pub(super) fn categorical(truth: RowTarget<'_>, smoothing: f32, p: &[f32], gradient: Option<&mut [f32]>, scale: f32) -> f32 {
    let cols = p.len();
    let total: f32 = p.iter().sum();
    let target = smoothed(truth, smoothing, cols, 1.0 / cols as f32);
    let mut loss = 0.0;
    let mut mean_slope = 0.0;
    for (j, v) in p.iter().enumerate() {
        let (q, t) = (v / total, target(j));
        if t != 0.0 {
            loss -= t * q.clamp(EPSILON, HIGH).ln();
            if inside(q) {
                mean_slope -= t;
            }
        }
    }
    if let Some(g) = gradient {
        for (j, (g, v)) in g.iter_mut().zip(p).enumerate() {
            let (q, t) = (v / total, target(j));
            let slope = if inside(q) { -t / q } else { 0.0 };
            *g = (slope - mean_slope) / total * scale;
        }
    }
    loss
}

/// Binary cross-entropy of logits, mean over columns: max(z, 0) − z·t + ln(1 + e^−|z|). Gradient (σ(z) − t) / cols.
pub(super) fn sigmoid(truth: RowTarget<'_>, smoothing: f32, z: &[f32], gradient: Option<&mut [f32]>, scale: f32) -> f32 {
    let cols = z.len() as f32;
    let target = smoothed(truth, smoothing, z.len(), 0.5);
    if let Some(g) = gradient {
        for (j, (g, v)) in g.iter_mut().zip(z).enumerate() {
            let small = (-v.abs()).exp();
            let probability = if *v >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
            *g = (probability - target(j)) / cols * scale;
        }
    }
    let sum: f32 = z.iter().enumerate().map(|(j, v)| v.max(0.0) - v * target(j) + (-v.abs()).exp().ln_1p()).sum();
    sum / cols
}

/// Binary cross-entropy of probabilities, mean over columns. Gradient ((1 − t) / (1 − p) − t / p) / cols inside the clip.
pub(super) fn binary(truth: RowTarget<'_>, smoothing: f32, p: &[f32], gradient: Option<&mut [f32]>, scale: f32) -> f32 {
    let cols = p.len() as f32;
    let target = smoothed(truth, smoothing, p.len(), 0.5);
    if let Some(g) = gradient {
        for (j, (g, v)) in g.iter_mut().zip(p).enumerate() {
            let t = target(j);
            *g = if inside(*v) { ((1.0 - t) / (1.0 - v) - t / v) / cols * scale } else { 0.0 };
        }
    }
    let sum: f32 = p
        .iter()
        .enumerate()
        .map(|(j, v)| {
            let (t, q) = (target(j), v.clamp(EPSILON, HIGH));
            -(t * q.ln() + (1.0 - t) * (1.0 - q).ln())
        })
        .sum();
    sum / cols
}

/// t·(1 − s) + s·`share`.
fn smoothed(truth: RowTarget<'_>, smoothing: f32, cols: usize, share: f32) -> impl Fn(usize) -> f32 {
    move |column| {
        let t = truth.value(column, cols);
        if smoothing == 0.0 { t } else { t * (1.0 - smoothing) + smoothing * share }
    }
}

/// Whether clipping leaves a probability as it is; outside, it has no slope.
fn inside(p: f32) -> bool {
    (EPSILON..=HIGH).contains(&p)
}
