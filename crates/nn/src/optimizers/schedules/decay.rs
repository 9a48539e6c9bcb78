//! Schedules that fall by a formula of step / steps.

/// The share of `steps` that is over, or the whole ones only.
fn progress(step: u64, steps: u64, staircase: bool) -> f32 {
    let share = step as f32 / steps as f32;
    if staircase { share.floor() } else { share }
}

pub(super) fn inverse_time(step: u64, initial: f32, steps: u64, rate: f32, staircase: bool) -> f32 {
    initial / (1.0 + rate * progress(step, steps, staircase))
}

pub(super) fn exponential(step: u64, initial: f32, steps: u64, rate: f32, staircase: bool) -> f32 {
    initial * rate.powf(progress(step, steps, staircase))
}

pub(super) fn piecewise(step: u64, boundaries: &[u64], values: &[f32]) -> f32 {
    let piece = boundaries.partition_point(|boundary| *boundary < step);
    values.get(piece).copied().unwrap_or(0.0)
}

pub(super) fn polynomial(step: u64, initial: f32, steps: u64, end: f32, power: f32, cycle: bool) -> f32 {
    let (mut step, mut steps) = (step as f32, steps as f32);
    if cycle {
        // The first multiple of the period that is not yet over.
        steps *= if step == 0.0 { 1.0 } else { (step / steps).ceil() };
    } else {
        step = step.min(steps);
    }
    (initial - end) * (1.0 - step / steps).powf(power) + end
}
