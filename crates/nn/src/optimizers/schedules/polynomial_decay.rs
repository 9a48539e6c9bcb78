//! `PolynomialDecay`: from one rate to another as (1 − step/steps)^power.

use super::ScheduleFunction;
use crate::keras_object;
use crate::object::range;

keras_object! {
    /// From initial to end as (1 − step/steps)^power.
    pub struct PolynomialDecay("PolynomialDecay") new(
        /// The rate of step 0.
        initial_learning_rate: f32 where range::NOT_NEGATIVE,
        /// Steps until the end; 1 or more.
        decay_steps: u64 where range::AT_LEAST_ONE,
    ) {
        /// The rate from then on; 1e-4 by default.
        end_learning_rate: f32 = 1e-4,
        /// The exponent; 1 by default.
        power: f32 = 1.0,
        /// Start anew, with more steps each time, instead of staying at the end; false by default.
        cycle: bool = false,
    }
}

impl ScheduleFunction for PolynomialDecay {
    fn at(&self, step: u64) -> f32 {
        let (mut step, mut steps) = (step as f32, self.decay_steps as f32);
        if self.cycle {
            // The first multiple of the period that is not yet over.
            steps *= if step == 0.0 { 1.0 } else { (step / steps).ceil() };
        } else {
            step = step.min(steps);
        }
        (self.initial_learning_rate - self.end_learning_rate) * (1.0 - step / steps).powf(self.power) + self.end_learning_rate
    }
}
