//! Schedules made of half cosines.

use std::f32::consts::PI;

/// Half a cosine from `from` to `alpha`·`from` over `steps`, then level.
pub(super) fn decay(step: u64, steps: u64, from: f32, alpha: f32) -> f32 {
    let share = step.min(steps) as f32 / steps as f32;
    let cosine = 0.5 * (1.0 + (PI * share).cos());
    from * ((1.0 - alpha) * cosine + alpha)
}

/// Half cosines, the i-th `t_mul`^i times as long and `m_mul`^i times as high as the first (Loshchilov, Hutter 2016).
pub(super) fn restarts(step: u64, first: u64, initial: f32, t_mul: f32, m_mul: f32, alpha: f32) -> f32 {
    let share = step as f32 / first as f32;
    let (restart, within) = if t_mul == 1.0 {
        (share.floor(), share - share.floor())
    } else {
        // The geometric series solved for the number of whole periods.
        let restart = ((1.0 - share * (1.0 - t_mul)).ln() / t_mul.ln()).floor();
        let before = (1.0 - t_mul.powf(restart)) / (1.0 - t_mul);
        (restart, (share - before) / t_mul.powf(restart))
    };
    let cosine = 0.5 * m_mul.powf(restart) * (1.0 + (PI * within).cos());
    initial * ((1.0 - alpha) * cosine + alpha)
}
