//! AdamW: Adam with weight decay by default (keras/src/optimizers/adamw.py).

use super::adam::{self, Moments};
use super::{Base, Formula, Slots, Step};
use crate::object::{ConfigError, range};
use crate::{keras_object, optimizer_base};

keras_object! {
    /// Adam with decoupled weight decay, 0.004 by default.
    pub struct AdamW("adamw") with base: Base = Base { weight_decay: Some(0.004), ..Base::new(0.001) }, {
        /// Decay of the mean; 0.9 by default.
        beta_1: f64 where range::SHARE = 0.9,
        /// Decay of the mean square; 0.999 by default.
        beta_2: f64 where range::SHARE = 0.999,
        /// Added to the root, outside its bias correction; 1e-7 by default.
        epsilon: f64 where range::NOT_NEGATIVE = 1e-7,
        /// Divide by the root of the largest mean square so far; false by default.
        amsgrad: bool = false,
    }
}
optimizer_base!(AdamW);

impl Formula for AdamW {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        adam::slots(self.amsgrad)
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        Moments { beta_1: self.beta_1, beta_2: self.beta_2, epsilon: self.epsilon, amsgrad: self.amsgrad }
            .update(step, w, g, slots);
    }

    fn check(&self) -> Result<(), ConfigError> {
        match self.base.weight_decay {
            Some(_) => Ok(()),
            None => Err(ConfigError::bad_value("AdamW", "weight_decay", "a number", "none; use Adam instead")),
        }
    }
}
