//! Dynamic loss scaling: gradients of the loss times a large factor, so that they do not vanish in float16
//! (keras/src/optimizers/loss_scale_optimizer.py).

use crate::object::{ConfigError, Fields};
use serde_json::{Map, Value, json};

/// How the loss is scaled: the factor is halved, and the step left out, when a gradient is infinite or NaN; it is doubled after
/// `dynamic_growth_steps` good steps in a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossScale {
    /// The factor at the start; 2¹⁵ by default.
    pub initial_scale: f32,
    /// Good steps before the factor is doubled; 2,000 by default.
    pub dynamic_growth_steps: u64,
}

impl Default for LossScale {
    fn default() -> LossScale {
        LossScale { initial_scale: 32768.0, dynamic_growth_steps: 2000 }
    }
}

impl LossScale {
    /// Keras' class.
    pub(super) const CLASS: &'static str = "LossScaleOptimizer";

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        // The inverse of a smaller one would be infinite.
        if !(self.initial_scale.is_finite() && self.initial_scale >= f32::MIN_POSITIVE) {
            return Err(ConfigError::bad_value(Self::CLASS, "initial_scale", "a number above 0", self.initial_scale));
        }
        if self.dynamic_growth_steps == 0 {
            return Err(ConfigError::bad_value(Self::CLASS, "dynamic_growth_steps", "1 or more", 0));
        }
        Ok(())
    }

    /// Splits Keras' object into the inner optimizer and this.
    pub(super) fn read(map: Map<String, Value>) -> Result<(Value, LossScale), ConfigError> {
        let mut fields = Fields::new(Self::CLASS, map);
        let Some(inner) = fields.take("inner_optimizer") else {
            return Err(ConfigError::bad_value(Self::CLASS, "inner_optimizer", "an optimizer", "none"));
        };
        let default = LossScale::default();
        let scale = LossScale {
            initial_scale: fields.f64_or("initial_scale", f64::from(default.initial_scale))? as f32,
            dynamic_growth_steps: fields.opt_u64("dynamic_growth_steps")?.unwrap_or(default.dynamic_growth_steps),
        };
        // Old releases also wrote what the inner optimizer has.
        let base = ["weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "use_ema", "ema_momentum"];
        fields.ignore(&base);
        fields.ignore(&["name", "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps", "learning_rate"]);
        fields.finish()?;
        Ok((inner, scale))
    }

    /// Keras' object around that of the inner optimizer.
    pub(super) fn to_value(self, inner: Value) -> Value {
        json!({
            "module": "keras.optimizers",
            "class_name": Self::CLASS,
            "config": {
                "name": "loss_scale_optimizer",
                "inner_optimizer": inner,
                "initial_scale": f64::from(self.initial_scale),
                "dynamic_growth_steps": self.dynamic_growth_steps,
            },
            "registered_name": null,
        })
    }
}

/// The factor of the moment, and how long it has held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DynamicScale {
    /// What the loss is multiplied by.
    pub scale: f32,
    /// Good steps since it last changed.
    pub step_counter: u64,
}

impl DynamicScale {
    /// Before the first step.
    pub(super) fn new(how: LossScale) -> DynamicScale {
        DynamicScale { scale: how.initial_scale, step_counter: 0 }
    }

    /// After a step whose gradients were all finite, or were not.
    pub(crate) fn advance(&mut self, how: LossScale, finite: bool) {
        if !finite {
            *self = DynamicScale { scale: self.scale * 0.5, step_counter: 0 };
        } else if self.step_counter + 1 >= how.dynamic_growth_steps {
            // An infinite factor could never be halved again.
            let doubled = self.scale * 2.0;
            *self = DynamicScale { scale: if doubled.is_finite() { doubled } else { self.scale }, step_counter: 0 };
        } else {
            self.step_counter += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizers::{Adam, Optimizer};

    #[test]
    fn the_factor_halves_at_once_and_doubles_after_a_while() {
        let how = LossScale { initial_scale: 8.0, dynamic_growth_steps: 3 };
        let mut scale = DynamicScale::new(how);
        let mut seen = Vec::new();
        for finite in [true, true, true, true, false, true, true, false, true, true, true] {
            scale.advance(how, finite);
            seen.push((scale.scale, scale.step_counter));
        }
        let expected = [(8., 1), (8., 2), (16., 0), (16., 1), (8., 0), (8., 1), (8., 2), (4., 0), (4., 1), (4., 2), (8., 0)];
        assert_eq!(seen, expected);
        let mut largest = DynamicScale { scale: f32::MAX, step_counter: 2 };
        largest.advance(how, true);
        assert_eq!(largest.scale, f32::MAX);
    }

    #[test]
    fn keras_object_wraps_the_inner_one() {
        let inner: Optimizer = Adam::new(0.5).into();
        let optimizer = inner.clone().loss_scale(LossScale { initial_scale: 1024.0, dynamic_growth_steps: 7 });
        let value = optimizer.to_value();
        assert_eq!(value["class_name"], "LossScaleOptimizer");
        assert_eq!(value["config"]["inner_optimizer"], inner.to_value());
        assert_eq!(Optimizer::from_value(&value).unwrap(), optimizer);
        assert_eq!(optimizer.class_name(), "Adam");
        let mut bad = optimizer;
        bad.base_mut().loss_scale = Some(LossScale { initial_scale: -1.0, dynamic_growth_steps: 7 });
        let message = bad.check().unwrap_err().to_string();
        assert_eq!(message, "LossScaleOptimizer: initial_scale must be a number above 0, got -1");
        let twice = json!({"type": "LossScaleOptimizer", "inner_optimizer": value});
        assert!(Optimizer::from_value(&twice).unwrap_err().to_string().contains("inner_optimizer"));
        assert!(Optimizer::from_value(&json!("LossScaleOptimizer")).unwrap_err().to_string().contains("inner_optimizer"));
    }
}
