//! Adam: m ← m + (1 − β₁)(g − m), v ← v + (1 − β₂)(g² − v), w ← w − α·m / (√v + ε) with α = rate·√(1 − β₂ᵗ) / (1 − β₁ᵗ)
//! (keras/src/optimizers/adam.py). AdamW is the same with weight decay by default.

use maobi_kernels::update;
use serde_json::{Map, Value};

use super::kind::{Formula, Slots, Step, check_adam, power};
use super::parameters::Parameters;
use super::{LearningRate, Optimizer};
use crate::object::{ConfigError, Fields};

parameters! {
    /// Adam.
    Adam("adam", "0.001") {
        /// Decay of the mean; default 0.9.
        beta_1: f64 = 0.9,
        /// Decay of the mean square; default 0.999.
        beta_2: f64 = 0.999,
        /// Added to the root, outside its bias correction; default 1e-7.
        epsilon: f64 = 1e-7,
        /// Divide by the root of the largest mean square so far.
        amsgrad: bool = false,
    }
}

/// Adam with decoupled weight decay, 0.004 by default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AdamW(
    /// Adam's parameters.
    pub Adam,
);

impl AdamW {
    /// AdamW's default weight decay.
    pub const WEIGHT_DECAY: f64 = 0.004;

    /// AdamW with a step size (a number or a schedule); Keras' default is 0.001.
    #[allow(clippy::new_ret_no_self)] // the optimiser is what a user wants of it
    pub fn new(learning_rate: impl Into<LearningRate>) -> Optimizer<AdamW> {
        Optimizer::base(AdamW::default(), learning_rate.into(), "adamw").weight_decay(AdamW::WEIGHT_DECAY)
    }
}

setters! {
    AdamW, self => self.kind.0, {
        /// Decay of the mean; default 0.9.
        beta_1: f64,
        /// Decay of the mean square; default 0.999.
        beta_2: f64,
        /// Added to the root, outside its bias correction; default 1e-7.
        epsilon: f64,
        /// Divide by the root of the largest mean square so far.
        amsgrad: bool,
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
        check_adam("Adam", self.beta_1, self.beta_2, self.epsilon)
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
        check_adam("AdamW", self.0.beta_1, self.0.beta_2, self.0.epsilon)
    }
}

impl Parameters for AdamW {
    fn read(fields: &mut Fields) -> Result<AdamW, ConfigError> {
        Adam::read(fields).map(AdamW)
    }

    fn write(&self, config: &mut Map<String, Value>) {
        self.0.write(config);
    }
}
