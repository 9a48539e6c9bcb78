//! The optimizer's variables in a name-based checkpoint: slots behind the names of their variables (tensorflow/python/training).
//!
//! | optimizer | slots of `X` | beside them |
//! |---|---|---|
//! | GradientDescent | – | |
//! | Momentum | `X/Momentum` = −velocity / rate: TensorFlow 1 multiplies by the rate later than Keras | |
//! | Adam | `X/Adam`, `X/Adam_1` | `beta1_power`, `beta2_power` = β to the power of steps + 1 |
//! | Adagrad | `X/Adagrad` | |
//! | Adadelta | `X/Adadelta`, `X/Adadelta_1` | |
//! | Ftrl | `X/Ftrl`, `X/Ftrl_1` | |
//! | any with a moving average of the weights | `X/ExponentialMovingAverage` | |

use super::bundle::{Bundle, Writer};
use super::saver_names::GLOBAL_STEP;
use crate::weights::OptimizerValues;
use maobi_nn::Model;
use maobi_nn::optimizers::{Adadelta, Adagrad, Adam, Ftrl, Optimizer, OptimizerState, SGD, StateVariable};

/// The ending of a slot's name and what its values are multiplied with to be TensorFlow's; `None` where it does not know such a slot.
fn ending(optimizer: &Optimizer, state: &OptimizerState, slot: &str) -> Option<(&'static str, f32)> {
    let adam = optimizer.get::<Adam>().is_some_and(|adam| !adam.amsgrad);
    let (sgd, adagrad) = (optimizer.get::<SGD>().is_some(), optimizer.get::<Adagrad>().is_some());
    let (adadelta, ftrl) = (optimizer.get::<Adadelta>().is_some(), optimizer.get::<Ftrl>().is_some());
    match slot {
        "average" => Some(("ExponentialMovingAverage", 1.0)),
        "momentum" if sgd && state.learning_rate != 0.0 => Some(("Momentum", -1.0 / state.learning_rate)),
        "momentum" if adam => Some(("Adam", 1.0)),
        "velocity" if adam => Some(("Adam_1", 1.0)),
        "accumulator" if adagrad => Some(("Adagrad", 1.0)),
        "accumulated_grad" if adadelta => Some(("Adadelta", 1.0)),
        "accumulated_delta_var" if adadelta => Some(("Adadelta_1", 1.0)),
        "accumulator" if ftrl => Some(("Ftrl", 1.0)),
        "linear" if ftrl => Some(("Ftrl_1", 1.0)),
        _ => None,
    }
}

/// A slot's name and factor.
fn place(
    optimizer: &Optimizer,
    state: &OptimizerState,
    variable: &StateVariable<'_>,
    trainable: &[&String],
) -> Option<(String, f32)> {
    let (ending, factor) = ending(optimizer, state, variable.slot)?;
    let name = trainable.get(variable.weight?)?;
    Some((format!("{name}/{ending}"), factor))
}

/// The names of the trainable weights.
fn trainable<'a>(model: &Model, names: &'a [String]) -> Vec<&'a String> {
    model.weights().iter().zip(names).filter(|(weight, _)| weight.trainable).map(|(_, name)| name).collect()
}

/// Appends the optimizer's variables; returns what TensorFlow 1 has no variable for.
pub(super) fn write(writer: &mut Writer, model: &Model, names: &[String]) -> Result<Vec<String>, String> {
    let state = model.optimizer_state_ref().filter(|state| state.has_slots());
    let (Some(how), Some(state)) = (model.compiled(), state) else { return Ok(Vec::new()) };
    let (optimizer, trainable) = (&how.optimizer, trainable(model, names));
    let variables = state.variables();
    let places: Option<Vec<(String, f32)>> = variables.iter().map(|v| place(optimizer, state, v, &trainable)).collect();
    let Some(places) = places else {
        return Ok(vec![format!(
            "the state of the optimizer {}: TensorFlow 1 has no such variables",
            how.optimizer.class_name()
        )]);
    };
    for (variable, (name, factor)) in variables.iter().zip(places) {
        // A factor of one leaves every bit as it is.
        let scaled: Vec<f32> = variable.values.iter().map(|v| v * factor).collect();
        writer.floats(&name, &variable.shape, &scaled)?;
    }
    if let Some(adam) = optimizer.get::<Adam>() {
        for (name, beta) in [("beta1_power", adam.beta_1), ("beta2_power", adam.beta_2)] {
            let steps = i32::try_from(state.iterations).unwrap_or(i32::MAX).saturating_add(1);
            writer.floats(name, &[], &[beta.powi(steps) as f32])?;
        }
    }
    Ok(Vec::new())
}

/// The optimizer's variables, where all are there; what is not is told in `notes`.
pub(super) fn read(model: &Model, bundle: &Bundle, names: &[String], notes: &mut Vec<String>) -> Option<OptimizerValues> {
    let (how, state) = (model.compiled()?, model.optimizer_state_ref()?);
    let (optimizer, trainable) = (&how.optimizer, trainable(model, names));
    if !state.has_slots() {
        let iterations = steps(bundle, optimizer).ok()?;
        return Some(OptimizerValues { iterations, learning_rate: None, loss_scale: None, slots: Vec::new() });
    }
    let mut slots = Vec::new();
    let mut failed = None;
    for variable in state.variables() {
        let found = match place(optimizer, state, &variable, &trainable) {
            None => Err(format!("TensorFlow 1 has no slot \"{}\" of {}", variable.slot, how.optimizer.class_name())),
            Some((name, factor)) => slot(bundle, &name, &variable.shape).map(|values| (values, factor)),
        };
        match found {
            Ok((values, factor)) => slots.push((variable.shape.clone(), values.iter().map(|v| v / factor).collect())),
            Err(why) => failed = failed.or(Some(why)),
        }
    }
    let iterations = match steps(bundle, optimizer) {
        Ok(steps) => steps,
        Err(why) => {
            notes.push(format!("the number of steps is not known: {why}"));
            return None;
        }
    };
    if let Some(why) = failed {
        notes.push(format!("optimizer state not restored, only its global step: {why}"));
        // Fresh slots, at the step of the weights. A moving average begins with the weights: zeros would take their place.
        let fresh = |variable: &StateVariable<'_>| {
            let weight = variable.weight.filter(|_| variable.slot == "average").and_then(|index| trainable.get(index));
            let values = weight.and_then(|name| bundle.floats(name).ok()).unwrap_or_else(|| variable.values.to_vec());
            (variable.shape.clone(), values)
        };
        let fresh = state.variables().iter().map(fresh).collect();
        return Some(OptimizerValues { iterations, learning_rate: None, loss_scale: None, slots: fresh });
    }
    Some(OptimizerValues { iterations, learning_rate: None, loss_scale: None, slots })
}

fn slot(bundle: &Bundle, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
    match bundle.shape(name)? {
        None => Err(format!("\"{name}\" is not in the file")),
        Some(found) if found != shape => Err(format!("\"{name}\": expected shape {shape:?}, found {found:?}")),
        Some(_) => bundle.floats(name),
    }
}

/// Steps taken: `global_step`, or what Adam's power of β₁ tells.
fn steps(bundle: &Bundle, optimizer: &Optimizer) -> Result<u64, String> {
    if bundle.has(GLOBAL_STEP) {
        let step = bundle.integer(GLOBAL_STEP)?;
        return u64::try_from(step).map_err(|_| format!("{GLOBAL_STEP} is {step}"));
    }
    if let (Some(adam), true) = (optimizer.get::<Adam>(), bundle.has("beta1_power")) {
        let power = f64::from(bundle.floats("beta1_power")?.first().copied().unwrap_or(0.0));
        // Below this the power is no longer a number of f32's full precision.
        if power > 1e-37 && power <= adam.beta_1 {
            return Ok((power.ln() / adam.beta_1.ln()).round() as u64 - 1);
        }
    }
    Err(format!("there is no {GLOBAL_STEP} in the file"))
}
