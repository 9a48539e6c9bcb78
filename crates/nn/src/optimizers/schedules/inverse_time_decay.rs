//! `InverseTimeDecay`: initial / (1 + rate·step/steps).

use super::{ScheduleFunction, progress};
use crate::keras_object;
use crate::object::range;

keras_object! {
    /// initial / (1 + rate·step/steps). With `decay_steps` of 1 it is the `decay` argument of old Keras optimizers.
    pub struct InverseTimeDecay("InverseTimeDecay") new(
        /// The rate of step 0.
        initial_learning_rate: f32 where range::NOT_NEGATIVE,
        /// Steps after which the divisor has grown by `decay_rate`; 1 or more.
        decay_steps: u64 where range::AT_LEAST_ONE,
        /// Growth of the divisor.
        decay_rate: f32,
    ) {
        /// Change only every `decay_steps`; false by default.
        staircase: bool = false,
    }
}

impl ScheduleFunction for InverseTimeDecay {
    fn at(&self, step: u64) -> f32 {
        self.initial_learning_rate / (1.0 + self.decay_rate * progress(step, self.decay_steps, self.staircase))
    }
}
