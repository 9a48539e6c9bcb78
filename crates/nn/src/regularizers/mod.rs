//! Penalties on weights, added to the loss and, differentiated, to the gradient (keras/src/regularizers/regularizers.py).
//!
//! A regularizer is a file here and a line in the list below; one of your own implements [`RegularizerFunction`] and is registered
//! with [`Regularizer::register`].

use crate::object::{ConfigError, Object, handle, objects};
use maobi_kernels::{reduce, update};
use std::sync::Arc;

objects! {
    /// All regularizers.
    static REGULARIZERS: Registry<Arc<dyn RegularizerFunction>> = ("regularizer", "keras.regularizers", Arc::new);
    l1::L1,
    l2::L2,
    l1_l2::L1L2,
}

/// What a regularizer does: it penalizes each value of a weight by itself. Its arguments are declared by
/// [`keras_object!`](crate::keras_object).
pub trait RegularizerFunction: Object {
    /// The factors (l1, l2) of the penalty l1·Σ|w| + l2·Σw². A penalty of another form has `loss` and `add_gradient` instead.
    fn coefficients(&self) -> (f32, f32) {
        (0.0, 0.0)
    }

    /// What some values of a weight add to the loss.
    fn loss(&self, w: &[f32]) -> f32 {
        let (l1, l2) = self.coefficients();
        let mut penalty = 0.0;
        if l1 != 0.0 {
            penalty += f64::from(l1) * sum(w, |v| f64::from(v.abs()));
        }
        if l2 != 0.0 {
            penalty += f64::from(l2) * sum(w, |v| f64::from(v) * f64::from(v));
        }
        penalty as f32
    }

    /// Adds the derivative of the penalty of some values of a weight to their gradient `g`, which is as long as `w`; at 0, that of |w| is 0.
    fn add_gradient(&self, w: &[f32], g: &mut [f32]) {
        let (l1, l2) = self.coefficients();
        update::add_l1_l2_gradient(w, g, l1, l2);
    }

    /// Checks the arguments; their ranges, by default.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] for the first that is wrong.
    fn check(&self) -> Result<(), ConfigError> {
        self.check_arguments()
    }
}

handle! {
    /// A penalty on the size of a weight's values, whichever it is.
    pub struct Regularizer(dyn RegularizerFunction) in REGULARIZERS, "a regularizer"
}

impl Regularizer {
    /// As [`RegularizerFunction::loss`], with faster sums in f32: for parts of large weights.
    pub(crate) fn loss_of_part(&self, w: &[f32]) -> f32 {
        let (l1, l2) = self.function().coefficients();
        if (l1, l2) == (0.0, 0.0) {
            return self.function().loss(w);
        }
        let abs = if l1 == 0.0 { 0.0 } else { l1 * reduce::sum_abs(w) };
        let squares = if l2 == 0.0 { 0.0 } else { l2 * reduce::sum_squares(w) };
        abs + squares
    }
}

/// The sign as Keras' gradient of |w| takes it: 0 at 0.
pub(crate) fn sign(w: f32) -> f32 {
    if w > 0.0 {
        1.0
    } else if w < 0.0 {
        -1.0
    } else {
        0.0
    }
}

/// Sums are formed in runs of this length, so that the compiler may use lanes and the order never changes.
const LANES: usize = 8;

/// Σ f(w) with [`LANES`] partial sums.
fn sum(w: &[f32], f: impl Fn(f32) -> f64) -> f64 {
    let mut partial = [0.0f64; LANES];
    let chunks = w.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (p, v) in partial.iter_mut().zip(chunk) {
            *p += f(*v);
        }
    }
    for (p, v) in partial.iter_mut().zip(rest) {
        *p += f(*v);
    }
    partial.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn penalties_by_hand() {
        let w = [1.0, -2.0, 0.0, 0.5];
        assert!((L1::new().l1(0.1).loss(&w) - 0.35).abs() < 1e-7);
        assert!((L2::new().l2(0.1).loss(&w) - 0.525).abs() < 1e-7);
        let both = L1L2::new().l1(0.1).l2(0.1);
        assert!((both.loss(&w) - 0.875).abs() < 1e-7);
        assert!((Regularizer::from(both).loss_of_part(&w) - 0.875).abs() < 1e-6);
    }

    #[test]
    fn the_gradient_is_the_derivative() {
        let w = [1.0f32, -2.0, 0.25, 0.5, -0.75, 3.0, 1.5, -0.125, 0.625];
        let regularizer = L1L2::new().l1(0.3).l2(0.2);
        let mut g = [1.0f32; 9];
        regularizer.add_gradient(&w, &mut g);
        for i in 0..w.len() {
            let (mut up, mut down) = (w, w);
            up[i] += 1e-2;
            down[i] -= 1e-2;
            let slope = (regularizer.loss(&up) - regularizer.loss(&down)) / 2e-2;
            // The penalty is quadratic here, so only rounding of the loss (about 2^-24·10/0.02) remains.
            assert!((g[i] - 1.0 - slope).abs() < 1e-4, "{i}: {} against {slope}", g[i] - 1.0);
        }
    }

    #[test]
    fn zero_has_no_slope() {
        let mut g = [0.0f32];
        L1::new().l1(1.0).add_gradient(&[0.0], &mut g);
        assert_eq!(g, [0.0]);
    }

    #[test]
    fn every_class_round_trips_from_its_name() {
        for class in Regularizer::known_names() {
            let regularizer = Regularizer::from_value(&json!(class)).unwrap();
            let read = Regularizer::from_value(&regularizer.to_value()).unwrap();
            assert_eq!((read.class_name(), &read), (class, &regularizer));
        }
        assert_eq!(
            Regularizer::from(L2::new().l2(5e-4)).to_value(),
            json!({"module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.0005}, "registered_name": null})
        );
        assert_eq!(Regularizer::from_value(&json!("l1_l2")).unwrap(), L1L2::new().into());
        assert_eq!(Regularizer::from_value(&json!({"type": "L2", "l2": 0.5})).unwrap(), L2::new().l2(0.5).into());
    }

    #[test]
    fn errors_say_what_is_known() {
        let message = |value| Regularizer::from_value(&value).unwrap_err().to_string();
        assert_eq!(message(json!("ridge")), "unknown regularizer \"ridge\"; known: L1, L2, L1L2");
        assert_eq!(message(json!({"type": "L2", "l2": -1.0})), "L2: l2 must be a number, 0 or more, got -1");
    }
}
