//! `OneCycle`: a warm-up to a high rate, then a long way down (Smith 2018, "Super-Convergence"). Not part of Keras.

use super::ScheduleFunction;
use super::cosine_decay::decay;
use crate::keras_object;
use crate::object::range;

keras_object! {
    /// Straight up from max/`div_factor` to the maximum, then half a cosine down to max/(`div_factor`·`final_div_factor`). Ours: Keras
    /// does not load it.
    pub struct OneCycle("OneCycle") new(
        /// The largest rate.
        max_learning_rate: f32 where range::NOT_NEGATIVE,
        /// Steps of the whole run; 1 or more.
        total_steps: u64 where range::AT_LEAST_ONE,
    ) {
        /// The share of them that goes up; 0.3 by default.
        warmup_fraction: f32 where range::SHARE = 0.3,
        /// Maximum over first rate; 25 by default.
        div_factor: f32 where range::POSITIVE = 25.0,
        /// First rate over last; 1e4 by default.
        final_div_factor: f32 where range::POSITIVE = 1e4,
    }
}

impl ScheduleFunction for OneCycle {
    fn at(&self, step: u64) -> f32 {
        let (total, max) = (self.total_steps, self.max_learning_rate);
        let up = ((total as f64 * f64::from(self.warmup_fraction)).round() as u64).min(total);
        let first = max / self.div_factor;
        if step < up {
            return first + (max - first) * (step as f32 / up as f32);
        }
        // At least one step, so that a cycle which is all warm-up ends at its last rate.
        let down = (total - up).max(1);
        decay(step - up, down, max, 1.0 / (self.div_factor * self.final_div_factor))
    }

    fn in_keras(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_then_down() {
        let cycle = OneCycle::new(1.0, 100);
        assert!((cycle.at(0) - 0.04).abs() < 1e-7);
        assert!((cycle.at(15) - 0.52).abs() < 1e-6);
        assert_eq!(cycle.at(30), 1.0);
        assert!((cycle.at(65) - 0.5).abs() < 1e-4);
        assert!((cycle.at(100) - 4e-6).abs() < 1e-9);
        assert_eq!(cycle.at(1_000), cycle.at(100));
        assert!((1..=30).all(|step| cycle.at(step) > cycle.at(step - 1)));
        assert!((31..=100).all(|step| cycle.at(step) < cycle.at(step - 1)));
    }
}
