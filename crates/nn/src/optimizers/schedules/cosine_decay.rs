//! `CosineDecay`: half a cosine, after an optional warm-up.

use super::ScheduleFunction;
use crate::keras_object;
use crate::object::range;
use std::f32::consts::PI;

keras_object! {
    /// Half a cosine from the initial rate (or the warm-up's target) to `alpha` times it, after an optional straight warm-up.
    pub struct CosineDecay("CosineDecay") new(
        /// The rate of step 0.
        initial_learning_rate: f32 where range::NOT_NEGATIVE,
        /// Steps of the cosine, after the warm-up; 1 or more.
        decay_steps: u64 where range::AT_LEAST_ONE,
    ) {
        /// The share of the rate that remains; 0 by default.
        alpha: f32 = 0.0,
        /// Where the warm-up leads; absent means none.
        warmup_target: Option<f32> = None,
        /// Its steps; 0 by default.
        warmup_steps: u64 = 0,
    }
}

impl ScheduleFunction for CosineDecay {
    fn at(&self, step: u64) -> f32 {
        let initial = self.initial_learning_rate;
        match self.warmup_target {
            None => decay(step, self.decay_steps, initial, self.alpha),
            Some(target) if step < self.warmup_steps => (target - initial) * (step as f32 / self.warmup_steps as f32) + initial,
            Some(target) => decay(step - self.warmup_steps, self.decay_steps, target, self.alpha),
        }
    }
}

/// Half a cosine from `from` to `alpha`·`from` over `steps`, then level.
pub(super) fn decay(step: u64, steps: u64, from: f32, alpha: f32) -> f32 {
    let share = step.min(steps) as f32 / steps as f32;
    let cosine = 0.5 * (1.0 + (PI * share).cos());
    from * ((1.0 - alpha) * cosine + alpha)
}
