//! Adam: m ← m + (1 − β₁)(g − m), v ← v + (1 − β₂)(g² − v), w ← w − α·m / (√v + ε) with α = rate·√(1 − β₂ᵗ) / (1 − β₁ᵗ)
//! (keras/src/optimizers/adam.py). AdamW is the same with weight decay by default.

use maobi_kernels::update;
use serde_json::{Map, Value};

use super::kind::{Formula, Slots, Step, check_positive, check_share, power};
use super::{LearningRate, Optimizer};
use crate::serial::{ConfigError, Fields};

/// Adam.
#[derive(Clone, Debug, PartialEq)]
pub struct Adam {
    /// Decay of the mean; default 0.9.
    pub beta_1: f64,
    /// Decay of the mean square; default 0.999.
    pub beta_2: f64,
    /// Added to the root, outside its bias correction; default 1e-7.
    pub epsilon: f64,
    /// Divide by the root of the largest mean square so far.
    pub amsgrad: bool,
}

/// Adam with decoupled weight decay, 0.004 by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdamW(
    /// Adam's parameters.
    pub Adam,
);

impl Default for Adam {
    fn default() -> Adam {
        Adam { beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, amsgrad: false }
    }
}

impl Adam {
    /// Adam with a step size (a number or a schedule); Keras' default is 0.001.
    #[allow(clippy::new_ret_no_self)] // the optimiser is what a user wants of it
    pub fn new(learning_rate: impl Into<LearningRate>) -> Optimizer<Adam> {
        Optimizer::base(Adam::default(), learning_rate.into(), "adam")
    }
}

impl AdamW {
    /// AdamW's default weight decay.
    pub const WEIGHT_DECAY: f64 = 0.004;

    /// AdamW with a step size (a number or a schedule); Keras' default is 0.001.
    #[allow(clippy::new_ret_no_self)] // the optimiser is what a user wants of it
    pub fn new(learning_rate: impl Into<LearningRate>) -> Optimizer<AdamW> {
        Optimizer::base(AdamW::default(), learning_rate.into(), "adamw").weight_decay(AdamW::WEIGHT_DECAY)
    }
}

/// The setters of both.
macro_rules! setters {
    ($type:ty, $self:ident => $adam:expr) => {
        impl Optimizer<$type> {
            /// Sets the decay of the mean.
            pub fn beta_1(mut $self, value: f64) -> Self {
                $adam.beta_1 = value;
                $self
            }

            /// Sets the decay of the mean square.
            pub fn beta_2(mut $self, value: f64) -> Self {
                $adam.beta_2 = value;
                $self
            }

            /// Sets what is added to the root.
            pub fn epsilon(mut $self, value: f64) -> Self {
                $adam.epsilon = value;
                $self
            }

            /// Divides by the root of the largest mean square so far.
            pub fn amsgrad(mut $self, value: bool) -> Self {
                $adam.amsgrad = value;
                $self
            }
        }
    };
}
setters!(Adam, self => self.kind);
setters!(AdamW, self => self.kind.0);

impl Adam {
    fn check_as(&self, class: &str) -> Result<(), ConfigError> {
        check_share(class, "beta_1", self.beta_1)?;
        check_share(class, "beta_2", self.beta_2)?;
        check_positive(class, "epsilon", self.epsilon)
    }
}

impl Formula for Adam {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        if self.amsgrad { &[&["momentum", "velocity"], &["velocity_hat"]] } else { &[&["momentum", "velocity"]] }
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        let root = (1.0 - power(self.beta_2, step.number)).sqrt();
        let parameters = update::Adam {
            alpha: step.learning_rate * root / (1.0 - power(self.beta_1, step.number)),
            one_minus_beta_1: (1.0 - self.beta_1) as f32,
            one_minus_beta_2: (1.0 - self.beta_2) as f32,
            epsilon: self.epsilon as f32,
        };
        if self.amsgrad {
            update::adam_amsgrad(&parameters, w, g, slots.a, slots.b, slots.c);
        } else {
            update::adam(&parameters, w, g, slots.a, slots.b);
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.check_as("Adam")
    }

    fn read(fields: &mut Fields) -> Result<Adam, ConfigError> {
        let default = Adam::default();
        Ok(Adam {
            beta_1: fields.f64_or("beta_1", default.beta_1)?,
            beta_2: fields.f64_or("beta_2", default.beta_2)?,
            epsilon: fields.f64_or("epsilon", default.epsilon)?,
            amsgrad: fields.bool_or("amsgrad", default.amsgrad)?,
        })
    }

    fn write(&self, config: &mut Map<String, Value>) {
        config.insert("beta_1".into(), self.beta_1.into());
        config.insert("beta_2".into(), self.beta_2.into());
        config.insert("epsilon".into(), self.epsilon.into());
        config.insert("amsgrad".into(), self.amsgrad.into());
    }
}

impl Formula for AdamW {
    fn slots(&self) -> &'static [&'static [&'static str]] {
        self.0.slots()
    }

    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        self.0.update(step, w, g, slots);
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.0.check_as("AdamW")
    }

    fn read(fields: &mut Fields) -> Result<AdamW, ConfigError> {
        Adam::read(fields).map(AdamW)
    }

    fn write(&self, config: &mut Map<String, Value>) {
        self.0.write(config);
    }
}
