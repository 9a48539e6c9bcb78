//! What training does to weights after each step, so that they stay within bounds (keras/src/constraints/constraints.py).
//!
//! A constraint is a file here and a line in the list below; one of your own implements [`ConstraintFunction`] and is registered with
//! [`Constraint::register`].

mod axes;

pub use axes::NormAxes;

use crate::object::{ConfigError, Object, handle, objects};
use std::sync::Arc;

objects! {
    /// All constraints.
    static CONSTRAINTS: Registry<Arc<dyn ConstraintFunction>> = ("constraint", "keras.constraints", Arc::new);
    max_norm::MaxNorm,
    min_max_norm::MinMaxNorm,
    non_neg::NonNeg,
    unit_norm::UnitNorm,
}

/// What Keras adds to a norm before it divides by it (`keras.backend.epsilon()`).
const EPSILON: f32 = 1e-7;

/// What a constraint does to a weight. Its arguments are declared by [`keras_object!`](crate::keras_object).
pub trait ConstraintFunction: Object {
    /// Changes the values `w` of a weight, `shape` its axis lengths, to the nearest that are allowed.
    fn project(&self, shape: &[usize], w: &mut [f32]);

    /// Checks the arguments; their ranges, by default.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] for the first that is wrong.
    fn check(&self) -> Result<(), ConfigError> {
        self.check_arguments()
    }

    /// Checks that the constraint fits a weight of that shape.
    ///
    /// # Errors
    /// Which argument does not, and what the shape is.
    fn check_shape(&self, shape: &[usize]) -> Result<(), String> {
        let _ = shape;
        Ok(())
    }
}

handle! {
    /// A constraint on the values of a weight, whichever it is.
    pub struct Constraint(dyn ConstraintFunction) in CONSTRAINTS, "a constraint"
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::f32::consts::FRAC_1_SQRT_2;

    /// `[2, 3]`: columns of norm 5, √2 and 0.
    const W: [f32; 6] = [3.0, -1.0, 0.0, 4.0, 1.0, 0.0];

    fn projected(constraint: impl ConstraintFunction) -> Vec<f32> {
        let mut w = W.to_vec();
        constraint.project(&[2, 3], &mut w);
        w
    }

    #[test]
    fn values_of_keras() {
        // keras 3.15: MaxNorm(2)(w), MaxNorm(2, axis=1)(w), UnitNorm()(w), MinMaxNorm(2, 3, 0.5)(w), NonNeg()(w).
        let close = |found: Vec<f32>, expected: [f32; 6]| {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 5e-7), "{found:?}, {expected:?}");
        };
        close(projected(MaxNorm::new().max_value(2.0)), [1.2, -1.0, 0.0, 1.6, 1.0, 0.0]);
        close(projected(MaxNorm::new().max_value(2.0).axis(1)), [1.897_366_5, -0.632_455_5, 0.0, 1.940_285, 0.485_071_25, 0.0]);
        close(projected(UnitNorm::new()), [0.6, -FRAC_1_SQRT_2, 0.0, 0.8, FRAC_1_SQRT_2, 0.0]);
        close(
            projected(MinMaxNorm::new().min_value(2.0).max_value(3.0).rate(0.5)),
            [2.4, -1.207_106_7, 0.0, 3.2, 1.207_106_7, 0.0],
        );
        assert_eq!(projected(NonNeg::new()), [3.0, 0.0, 0.0, 4.0, 1.0, 0.0]);
    }

    #[test]
    fn every_class_round_trips_from_its_name() {
        for class in Constraint::known_names() {
            let constraint = Constraint::from_value(&json!(class)).unwrap();
            let read = Constraint::from_value(&constraint.to_value()).unwrap();
            assert_eq!((read.class_name(), &read), (class, &constraint));
        }
        assert_eq!(
            Constraint::from(MaxNorm::new().axis([0, 1, 2])).to_value(),
            json!({"module": "keras.constraints", "class_name": "MaxNorm", "config": {"max_value": 2.0, "axis": [0, 1, 2]},
                "registered_name": null})
        );
        let old = Constraint::from_value(&json!({"class_name": "max_norm", "config": {"max_value": 3, "axis": 0}})).unwrap();
        assert_eq!(old, MaxNorm::new().max_value(3.0).into());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let message = |value| Constraint::from_value(&value).unwrap_err().to_string();
        assert_eq!(message(json!("ball")), "unknown constraint \"ball\"; known: MaxNorm, MinMaxNorm, NonNeg, UnitNorm");
        assert_eq!(
            message(json!({"type": "MaxNorm", "max_value": -1.0})),
            "MaxNorm: max_value must be a number, 0 or more, got -1"
        );
        let wrong = UnitNorm::new().axis(2).check_shape(&[4, 5]).unwrap_err();
        assert_eq!(wrong, "UnitNorm: axis 2 is out of range for a weight of shape [4, 5]");
    }
}
