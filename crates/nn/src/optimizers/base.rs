//! What all optimizers have in common (keras/src/optimizers/base_optimizer.py).

use super::{LearningRate, LossScale};
use crate::object::{Config, ConfigError, Fields, check_range, range};
use serde_json::Value;

/// The arguments that every optimizer has.
#[derive(Clone, Debug, PartialEq)]
pub struct Base {
    /// The step size.
    pub learning_rate: LearningRate,
    /// Each step first takes `weight_decay`·rate of a weight off it.
    pub weight_decay: Option<f64>,
    /// The largest L2 norm of one weight's gradient.
    pub clipnorm: Option<f64>,
    /// The largest absolute value of a gradient element.
    pub clipvalue: Option<f64>,
    /// The largest L2 norm of all gradients together.
    pub global_clipnorm: Option<f64>,
    /// Keep a moving average of the weights.
    pub use_ema: bool,
    /// The share of the old average; 0.99 by default.
    pub ema_momentum: f64,
    /// Every so many steps the weights take the value of their average.
    pub ema_overwrite_frequency: Option<u64>,
    /// Scale the loss, as training in float16 needs; Keras' `LossScaleOptimizer` around this one.
    pub loss_scale: Option<LossScale>,
    /// The name in files; absent means Keras' default, such as "adam".
    pub name: Option<String>,
}

impl Base {
    /// Keras' defaults, with a default of the step size.
    pub fn new(learning_rate: f32) -> Base {
        Base {
            learning_rate: learning_rate.into(),
            weight_decay: None,
            clipnorm: None,
            clipvalue: None,
            global_clipnorm: None,
            use_ema: false,
            ema_momentum: 0.99,
            ema_overwrite_frequency: None,
            loss_scale: None,
            name: None,
        }
    }

    /// Reads everything but the loss scale; what is absent stays. `rate` is what stands under `learning_rate`.
    pub(super) fn read(&mut self, rate: Option<Value>, fields: &mut Fields, default_name: &str) -> Result<(), ConfigError> {
        let old = fields.take_hidden("lr");
        if let Some(rate) = rate.or(old) {
            self.learning_rate = LearningRate::read(&rate, fields)?;
        }
        if let Some(decay) = fields.take_hidden("decay") {
            self.learning_rate.decay(&decay, fields)?;
        }
        self.weight_decay = fields.argument("weight_decay", self.weight_decay)?;
        self.clipnorm = fields.argument("clipnorm", self.clipnorm)?;
        self.clipvalue = fields.argument("clipvalue", self.clipvalue)?;
        self.global_clipnorm = fields.argument("global_clipnorm", self.global_clipnorm)?;
        self.use_ema = fields.argument("use_ema", self.use_ema)?;
        self.ema_momentum = fields.argument("ema_momentum", self.ema_momentum)?;
        self.ema_overwrite_frequency = fields.argument("ema_overwrite_frequency", self.ema_overwrite_frequency)?;
        // A name that is the default says nothing.
        self.name = fields.argument("name", self.name.take())?.filter(|name| name != default_name);
        // What Keras has and we have not, allowed at its default; then what only Keras 2 wrote.
        fields.only("loss_scale_factor", &[])?;
        fields.only("gradient_accumulation_steps", &[])?;
        fields.ignore(&["jit_compile", "is_legacy_optimizer"]);
        Ok(())
    }

    /// Adds everything but name and loss scale, in Keras' order; without `loss_scale_factor` and `gradient_accumulation_steps`, which
    /// some Keras 3 refuse.
    pub(super) fn write(&self, config: &mut Config) {
        let optional = |value: Option<f64>| value.map_or(Value::Null, Value::from);
        let values = [
            ("learning_rate", self.learning_rate.to_value()),
            ("weight_decay", optional(self.weight_decay)),
            ("clipnorm", optional(self.clipnorm)),
            ("global_clipnorm", optional(self.global_clipnorm)),
            ("clipvalue", optional(self.clipvalue)),
            ("use_ema", self.use_ema.into()),
            ("ema_momentum", self.ema_momentum.into()),
            ("ema_overwrite_frequency", self.ema_overwrite_frequency.into()),
        ];
        config.extend(values.map(|(key, value)| (key.to_owned(), value)));
    }

    /// Checks everything, as Keras' constructor does.
    pub(super) fn check(&self, class: &str) -> Result<(), ConfigError> {
        self.learning_rate.check(class)?;
        let clips = [("clipnorm", self.clipnorm), ("clipvalue", self.clipvalue), ("global_clipnorm", self.global_clipnorm)];
        let given: Vec<String> = clips.iter().filter_map(|(key, clip)| clip.map(|clip| format!("{key} = {clip}"))).collect();
        if given.len() > 1 {
            let message = format!(
                "only one of clipnorm, clipvalue and global_clipnorm can be set, got {}; remove all but one",
                given.join(", ")
            );
            return Err(ConfigError::Conflict { class: class.into(), message });
        }
        for (key, value) in clips.into_iter().chain([("weight_decay", self.weight_decay)]) {
            check_range(class, key, &value, &range::NOT_NEGATIVE)?;
        }
        check_range(class, "ema_momentum", &self.ema_momentum, &range::SHARE)?;
        if self.ema_overwrite_frequency == Some(0) {
            return Err(ConfigError::bad_value(class, "ema_overwrite_frequency", "1 or more, or null", 0));
        }
        self.loss_scale.map_or(Ok(()), |how| how.check())
    }
}

/// Gives an optimizer that is declared `with base: Base` its `new` and the setters that all optimizers have.
#[macro_export]
macro_rules! optimizer_base {
    ($type:ident) => {
        impl $crate::optimizers::HasBase for $type {
            fn base(&self) -> &$crate::optimizers::Base {
                &self.base
            }

            fn base_mut(&mut self) -> &mut $crate::optimizers::Base {
                &mut self.base
            }

            fn boxed(&self) -> Box<dyn $crate::optimizers::Formula> {
                Box::new(self.clone())
            }
        }

        impl $type {
            /// With a step size (a number or a schedule) and the defaults of all other arguments.
            #[must_use]
            pub fn new(learning_rate: impl Into<$crate::optimizers::LearningRate>) -> Self {
                Self::default().learning_rate(learning_rate)
            }
        }

        $crate::optimizer_base!(@setters $type, self => self.base);
    };
    (@setters $type:ident, $self:ident => $base:expr) => {
        impl $type {
            /// Sets the step size: a number or a schedule.
            #[must_use]
            pub fn learning_rate(mut $self, rate: impl Into<$crate::optimizers::LearningRate>) -> Self {
                $base.learning_rate = rate.into();
                $self
            }

            /// Sets the weight decay: each step first takes `value`·rate of a weight off it.
            #[must_use]
            pub fn weight_decay(mut $self, value: f64) -> Self {
                $base.weight_decay = Some(value);
                $self
            }

            /// Limits the norm of each weight's gradient.
            #[must_use]
            pub fn clipnorm(mut $self, value: f64) -> Self {
                $base.clipnorm = Some(value);
                $self
            }

            /// Limits the elements of gradients.
            #[must_use]
            pub fn clipvalue(mut $self, value: f64) -> Self {
                $base.clipvalue = Some(value);
                $self
            }

            /// Limits the norm of all gradients together.
            #[must_use]
            pub fn global_clipnorm(mut $self, value: f64) -> Self {
                $base.global_clipnorm = Some(value);
                $self
            }

            /// Keeps a moving average with this momentum, and makes it the weights every `overwrite` steps where given.
            #[must_use]
            pub fn ema(mut $self, momentum: f64, overwrite: Option<u64>) -> Self {
                $base.use_ema = true;
                $base.ema_momentum = momentum;
                $base.ema_overwrite_frequency = overwrite;
                $self
            }

            /// Scales the loss. `compile` does it by itself, with the defaults, where a model's policy is `mixed_float16`.
            #[must_use]
            pub fn loss_scale(mut $self, how: $crate::optimizers::LossScale) -> Self {
                $base.loss_scale = Some(how);
                $self
            }

            /// Sets the name in files.
            #[must_use]
            pub fn name(mut $self, name: impl Into<String>) -> Self {
                $base.name = Some(name.into());
                $self
            }
        }
    };
}
