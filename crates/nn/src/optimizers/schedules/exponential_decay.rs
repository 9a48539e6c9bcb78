//! `ExponentialDecay`: initial·rate^(step/steps).

use super::{ScheduleFunction, progress};
use crate::keras_object;
use crate::object::range;

keras_object! {
    /// initial·rate^(step/steps).
    pub struct ExponentialDecay("ExponentialDecay") new(
        /// The rate of step 0.
        initial_learning_rate: f32 where range::NOT_NEGATIVE,
        /// Steps after which the rate has been multiplied by `decay_rate`; 1 or more.
        decay_steps: u64 where range::AT_LEAST_ONE,
        /// The factor.
        decay_rate: f32,
    ) {
        /// Change only every `decay_steps`; false by default.
        staircase: bool = false,
    }
}

impl ScheduleFunction for ExponentialDecay {
    fn at(&self, step: u64) -> f32 {
        self.initial_learning_rate * self.decay_rate.powf(progress(step, self.decay_steps, self.staircase))
    }
}
