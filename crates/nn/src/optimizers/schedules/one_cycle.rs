//! One cycle: a warm-up to a high rate, then a long way down (Smith 2018, "Super-Convergence"). Not part of Keras.

use super::cosine;

pub(super) fn at(step: u64, total: u64, max: f32, warmup: f32, div: f32, final_div: f32) -> f32 {
    let up = ((total as f64 * f64::from(warmup)).round() as u64).min(total);
    let first = max / div;
    if step < up {
        return first + (max - first) * (step as f32 / up as f32);
    }
    // At least one step, so that a cycle which is all warm-up ends at its last rate.
    let down = (total - up).max(1);
    cosine::decay(step - up, down, max, 1.0 / (div * final_div))
}

#[cfg(test)]
mod tests {
    use crate::optimizers::schedules::Schedule;

    #[test]
    fn up_then_down() {
        let cycle = Schedule::one_cycle(1.0, 100);
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
