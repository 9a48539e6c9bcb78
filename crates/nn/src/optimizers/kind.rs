//! The optimisers there are, behind one enum.

use super::parameters::Parameters;
use super::{Adadelta, Adagrad, Adam, AdamW, Adamax, Lion, Nadam, Optimizer, RmsProp, Sgd};
use crate::object::{ConfigError, Fields};
use serde_json::{Map, Value};

/// An optimiser's formula with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Gradient descent, with momentum.
    Sgd(Sgd),
    /// Adam.
    Adam(Adam),
    /// Adam with decoupled weight decay.
    AdamW(AdamW),
    /// RMSprop.
    RmsProp(RmsProp),
    /// Adagrad.
    Adagrad(Adagrad),
    /// Adadelta.
    Adadelta(Adadelta),
    /// Adam with Nesterov momentum.
    Nadam(Nadam),
    /// Adam with the infinity norm.
    Adamax(Adamax),
    /// Lion.
    Lion(Lion),
}

/// What is the same for all elements of one step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// The step size.
    pub(super) learning_rate: f32,
    /// Number of this step, from 1: Keras' `iterations + 1`.
    pub(super) number: u64,
    /// Nadam's running product, already of this step.
    pub(super) u_product: f32,
}

/// The slot values of a run of elements, in the order of [`Formula::slots`]; empty where there is none.
pub(super) struct Slots<'a> {
    /// The first slot.
    pub(super) a: &'a mut [f32],
    /// The second.
    pub(super) b: &'a mut [f32],
    /// The third.
    pub(super) c: &'a mut [f32],
}

/// What an optimiser's file defines.
pub(super) trait Formula: Parameters {
    /// Names of the slot variables, in groups: files hold a group for all weights before the next group begins.
    fn slots(&self) -> &'static [&'static [&'static str]];

    /// The value slots start at.
    fn initial_slot(&self) -> f32 {
        0.0
    }

    /// One step on a run of elements.
    fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>);

    /// Checks the parameters.
    fn check(&self) -> Result<(), ConfigError>;
}

/// The formula inside, whatever the kind.
macro_rules! each {
    ($kind:expr, $formula:ident => $then:expr) => {
        match $kind {
            Kind::Sgd($formula) => $then,
            Kind::Adam($formula) => $then,
            Kind::AdamW($formula) => $then,
            Kind::RmsProp($formula) => $then,
            Kind::Adagrad($formula) => $then,
            Kind::Adadelta($formula) => $then,
            Kind::Nadam($formula) => $then,
            Kind::Adamax($formula) => $then,
            Kind::Lion($formula) => $then,
        }
    };
}

impl Kind {
    /// The class names, as Keras spells them.
    pub const NAMES: [&'static str; 9] = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Nadam", "Adamax", "Lion"];

    /// The class name in Keras.
    pub fn class_name(&self) -> &'static str {
        match self {
            Kind::Sgd(_) => "SGD",
            Kind::Adam(_) => "Adam",
            Kind::AdamW(_) => "AdamW",
            Kind::RmsProp(_) => "RMSprop",
            Kind::Adagrad(_) => "Adagrad",
            Kind::Adadelta(_) => "Adadelta",
            Kind::Nadam(_) => "Nadam",
            Kind::Adamax(_) => "Adamax",
            Kind::Lion(_) => "Lion",
        }
    }

    pub(super) fn slots(&self) -> &'static [&'static [&'static str]] {
        each!(self, formula => formula.slots())
    }

    pub(super) fn initial_slot(&self) -> f32 {
        each!(self, formula => formula.initial_slot())
    }

    pub(super) fn update(&self, step: Step, w: &mut [f32], g: &[f32], slots: Slots<'_>) {
        each!(self, formula => formula.update(step, w, g, slots));
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        each!(self, formula => formula.check())
    }

    pub(super) fn write(&self, config: &mut Map<String, Value>) {
        each!(self, formula => formula.write(config));
    }

    pub(super) fn read(class: &str, fields: &mut Fields) -> Result<Kind, ConfigError> {
        Ok(match class {
            "SGD" => Kind::Sgd(Sgd::read(fields)?),
            "Adam" => Kind::Adam(Adam::read(fields)?),
            "AdamW" => Kind::AdamW(AdamW::read(fields)?),
            "RMSprop" => Kind::RmsProp(RmsProp::read(fields)?),
            "Adagrad" => Kind::Adagrad(Adagrad::read(fields)?),
            "Adadelta" => Kind::Adadelta(Adadelta::read(fields)?),
            "Nadam" => Kind::Nadam(Nadam::read(fields)?),
            "Adamax" => Kind::Adamax(Adamax::read(fields)?),
            _ => Kind::Lion(Lion::read(fields)?),
        })
    }
}

/// Each typed optimiser is an optimiser.
macro_rules! into_optimizer {
    ($($formula:ident),*) => {$(
        impl From<Optimizer<$formula>> for Optimizer {
            fn from(typed: Optimizer<$formula>) -> Optimizer {
                typed.with_kind(Kind::$formula)
            }
        }
    )*};
}
into_optimizer!(Sgd, Adam, AdamW, RmsProp, Adagrad, Adadelta, Nadam, Adamax, Lion);

/// A parameter that lies between 0 and 1.
pub(super) fn check_share(class: &str, key: &str, value: f64) -> Result<(), ConfigError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(ConfigError::bad_value(class, key, "a number from 0 to 1", value))
}

/// A parameter that is not negative.
pub(super) fn check_positive(class: &str, key: &str, value: f64) -> Result<(), ConfigError> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(ConfigError::bad_value(class, key, "a number, 0 or more", value))
}

/// The parameters that Adam and its kin share.
pub(super) fn check_adam(class: &str, beta_1: f64, beta_2: f64, epsilon: f64) -> Result<(), ConfigError> {
    check_share(class, "beta_1", beta_1)?;
    check_share(class, "beta_2", beta_2)?;
    check_positive(class, "epsilon", epsilon)
}

/// Keras' `power(cast(beta), cast(step))`, in f32 as there: 1 − βᵗ must round the same way.
pub(super) fn power(beta: f64, step: u64) -> f32 {
    (beta as f32).powf(step as f32)
}
