//! `CosineDecayRestarts`: half cosines one after the other (SGDR; Loshchilov, Hutter 2016).

use super::ScheduleFunction;
use crate::keras_object;
use crate::object::range;
use std::f32::consts::PI;

keras_object! {
    /// Half cosines, the i-th `t_mul`^i times as long and `m_mul`^i times as high as the first.
    pub struct CosineDecayRestarts("SGDRDecay") new(
        /// The rate of step 0.
        initial_learning_rate: f32 where range::NOT_NEGATIVE,
        /// Steps of the first cosine; 1 or more.
        first_decay_steps: u64 where range::AT_LEAST_ONE,
    ) {
        /// Each is so many times as long as the one before; 2 by default.
        t_mul: f32 = 2.0,
        /// Each starts at so many times the rate; 1 by default.
        m_mul: f32 = 1.0,
        /// The share of the rate that remains; 0 by default.
        alpha: f32 = 0.0,
    }
}

impl ScheduleFunction for CosineDecayRestarts {
    fn at(&self, step: u64) -> f32 {
        let t_mul = self.t_mul;
        let share = step as f32 / self.first_decay_steps as f32;
        let (restart, within) = if t_mul == 1.0 {
            (share.floor(), share - share.floor())
        } else {
            // The geometric series solved for the number of whole periods.
            let restart = ((1.0 - share * (1.0 - t_mul)).ln() / t_mul.ln()).floor();
            let before = (1.0 - t_mul.powf(restart)) / (1.0 - t_mul);
            (restart, (share - before) / t_mul.powf(restart))
        };
        let cosine = 0.5 * self.m_mul.powf(restart) * (1.0 + (PI * within).cos());
        self.initial_learning_rate * ((1.0 - self.alpha) * cosine + self.alpha)
    }
}
