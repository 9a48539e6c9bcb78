//! Learning-rate schedules: functions of the iteration (keras/src/optimizers/schedules/learning_rate_schedule.py).
//!
//! Formulas are evaluated in f32 as in Keras, so that a run follows Keras' own to the last bits.

mod cosine;
mod decay;
#[cfg(test)]
mod golden_tests;
mod one_cycle;
mod serde;

/// A learning rate that depends on the iteration, counted from 0.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// initial / (1 + rate·step/steps).
    InverseTimeDecay {
        /// The rate of step 0.
        initial_learning_rate: f32,
        /// Steps after which the divisor has grown by `decay_rate`; positive.
        decay_steps: u64,
        /// Growth of the divisor.
        decay_rate: f32,
        /// Change only every `decay_steps`.
        staircase: bool,
    },
    /// initial·rate^(step/steps).
    ExponentialDecay {
        /// The rate of step 0.
        initial_learning_rate: f32,
        /// Steps after which the rate has been multiplied by `decay_rate`; positive.
        decay_steps: u64,
        /// The factor.
        decay_rate: f32,
        /// Change only every `decay_steps`.
        staircase: bool,
    },
    /// `values[i]` up to and including step `boundaries[i]`, the last value afterwards.
    PiecewiseConstantDecay {
        /// Ascending steps.
        boundaries: Vec<u64>,
        /// One value more than boundaries.
        values: Vec<f32>,
    },
    /// From initial to end as (1 − step/steps)^power.
    PolynomialDecay {
        /// The rate of step 0.
        initial_learning_rate: f32,
        /// Steps until the end; positive.
        decay_steps: u64,
        /// The rate from then on; default 1e-4.
        end_learning_rate: f32,
        /// The exponent; default 1.
        power: f32,
        /// Start anew, with more steps each time, instead of staying at the end.
        cycle: bool,
    },
    /// Half a cosine from the initial rate (or the warm-up's target) to `alpha` times it, after an optional straight warm-up.
    CosineDecay {
        /// The rate of step 0.
        initial_learning_rate: f32,
        /// Steps of the cosine, after the warm-up; positive.
        decay_steps: u64,
        /// The share of the rate that remains; default 0.
        alpha: f32,
        /// Where the warm-up leads; absent means none.
        warmup_target: Option<f32>,
        /// Its steps; default 0.
        warmup_steps: u64,
    },
    /// Half cosines one after the other (SGDR).
    CosineDecayRestarts {
        /// The rate of step 0.
        initial_learning_rate: f32,
        /// Steps of the first cosine; positive.
        first_decay_steps: u64,
        /// Each is so many times as long as the one before; default 2.
        t_mul: f32,
        /// Each starts at so many times the rate; default 1.
        m_mul: f32,
        /// The share of the rate that remains; default 0.
        alpha: f32,
    },
    /// Ours, not Keras': straight up from max/`div_factor` to the maximum, then half a cosine down to
    /// max/(`div_factor`·`final_div_factor`). Files name it `OneCycle`, which Keras does not load.
    OneCycle {
        /// The largest rate.
        max_learning_rate: f32,
        /// Steps of the whole run; positive.
        total_steps: u64,
        /// The share of them that goes up; default 0.3.
        warmup_fraction: f32,
        /// Maximum over first rate; default 25.
        div_factor: f32,
        /// First rate over last; default 1e4.
        final_div_factor: f32,
    },
}

impl Schedule {
    /// The `decay` argument of old Keras optimisers, rate / (1 + decay·iteration), as an inverse time decay.
    pub fn legacy_decay(learning_rate: f32, decay: f32) -> Schedule {
        Schedule::InverseTimeDecay { initial_learning_rate: learning_rate, decay_steps: 1, decay_rate: decay, staircase: false }
    }

    /// A cosine from `learning_rate` to 0.
    pub fn cosine_decay(learning_rate: f32, decay_steps: u64) -> Schedule {
        Schedule::CosineDecay {
            initial_learning_rate: learning_rate,
            decay_steps,
            alpha: 0.0,
            warmup_target: None,
            warmup_steps: 0,
        }
    }

    /// One cycle with the default shape.
    pub fn one_cycle(max_learning_rate: f32, total_steps: u64) -> Schedule {
        Schedule::OneCycle { max_learning_rate, total_steps, warmup_fraction: 0.3, div_factor: 25.0, final_div_factor: 1e4 }
    }

    /// The learning rate of the step that follows `step` steps.
    pub fn at(&self, step: u64) -> f32 {
        match *self {
            Schedule::InverseTimeDecay { initial_learning_rate, decay_steps, decay_rate, staircase } => {
                decay::inverse_time(step, initial_learning_rate, decay_steps, decay_rate, staircase)
            }
            Schedule::ExponentialDecay { initial_learning_rate, decay_steps, decay_rate, staircase } => {
                decay::exponential(step, initial_learning_rate, decay_steps, decay_rate, staircase)
            }
            Schedule::PiecewiseConstantDecay { ref boundaries, ref values } => decay::piecewise(step, boundaries, values),
            Schedule::PolynomialDecay { initial_learning_rate, decay_steps, end_learning_rate, power, cycle } => {
                decay::polynomial(step, initial_learning_rate, decay_steps, end_learning_rate, power, cycle)
            }
            Schedule::CosineDecay { initial_learning_rate, decay_steps, alpha, warmup_target, warmup_steps } => {
                match warmup_target {
                    None => cosine::decay(step, decay_steps, initial_learning_rate, alpha),
                    Some(target) if step < warmup_steps => {
                        (target - initial_learning_rate) * (step as f32 / warmup_steps as f32) + initial_learning_rate
                    }
                    Some(target) => cosine::decay(step - warmup_steps, decay_steps, target, alpha),
                }
            }
            Schedule::CosineDecayRestarts { initial_learning_rate, first_decay_steps, t_mul, m_mul, alpha } => {
                cosine::restarts(step, first_decay_steps, initial_learning_rate, t_mul, m_mul, alpha)
            }
            Schedule::OneCycle { max_learning_rate, total_steps, warmup_fraction, div_factor, final_div_factor } => {
                one_cycle::at(step, total_steps, max_learning_rate, warmup_fraction, div_factor, final_div_factor)
            }
        }
    }
}
