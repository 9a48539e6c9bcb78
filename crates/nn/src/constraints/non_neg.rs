//! `NonNeg`: no negative values.

use super::ConstraintFunction;
use crate::keras_object;

keras_object! {
    /// max(w, 0).
    pub struct NonNeg("non_neg") {}
}

impl ConstraintFunction for NonNeg {
    fn project(&self, _: &[usize], w: &mut [f32]) {
        w.iter_mut().for_each(|w| {
            // A NaN stays one, as in Keras.
            if *w < 0.0 {
                *w = 0.0;
            }
        });
    }
}
