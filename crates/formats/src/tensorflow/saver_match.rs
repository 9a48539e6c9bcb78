//! Which variable of a name-based checkpoint is which weight.

use super::bundle::Bundle;
use super::saver_names::{GLOBAL_STEP, layer_names, own_names, variable_names};
use super::values::is_float;
use crate::weights::Refusal;
use maobi_nn::Model;
use std::collections::BTreeMap;

/// Most variables that a message lists.
const LISTED: usize = 40;

/// Names of the variables for all weights, in their order.
pub(super) fn assign(model: &Model, bundle: &Bundle) -> Result<Vec<String>, Refusal> {
    let there = variables(bundle)?;
    for names in [layer_names(model), own_names(model), variable_names(model)] {
        let fits = |(name, shape): (&String, &Vec<usize>)| there.iter().any(|(n, s)| n == name && s == shape);
        if names.iter().zip(model.weights().iter().map(|w| &w.shape)).all(fits) {
            return Ok(names);
        }
    }
    by_shape(model, &there)
}

/// Names and shapes of what could be a weight: no counters, no slots.
fn variables(bundle: &Bundle) -> Result<Vec<(String, Vec<usize>)>, String> {
    let mut there = Vec::new();
    for (name, _) in bundle.names().filter(|(name, dtype)| is_float(*dtype) && !is_slot(bundle, name)) {
        there.push((name.to_string(), bundle.shape(name)?.unwrap_or_default()));
    }
    Ok(there)
}

/// Whether a variable belongs to another one, or to the optimizer.
fn is_slot(bundle: &Bundle, name: &str) -> bool {
    const ENDINGS: [&str; 9] = [
        "Adam",
        "Momentum",
        "RMSProp",
        "Adagrad",
        "Adadelta",
        "Ftrl",
        "AdagradDA",
        "ProximalAdagrad",
        "ExponentialMovingAverage",
    ];
    let of_the_optimizer = |part: &str| ["beta1_power", "beta2_power", GLOBAL_STEP].contains(&split(part).0);
    name.rsplit('/').next().is_some_and(of_the_optimizer)
        || name.rsplit_once('/').is_some_and(|(variable, slot)| bundle.has(variable) && ENDINGS.contains(&split(slot).0))
}

/// A name without the number that makes it unique, and the number.
fn split(name: &str) -> (&str, u64) {
    let numbered = name.rsplit_once('_').and_then(|(stem, number)| {
        let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        number.parse().ok().filter(|_| digits).map(|number| (stem, number))
    });
    numbered.unwrap_or((name, 0))
}

/// Weights of one shape take the variables of that shape: a single one, or several that TensorFlow numbered in the order they were made.
fn by_shape(model: &Model, there: &[(String, Vec<usize>)]) -> Result<Vec<String>, Refusal> {
    let mut shapes: BTreeMap<&[usize], Vec<usize>> = BTreeMap::new();
    for (index, weight) in model.weights().iter().enumerate() {
        shapes.entry(&weight.shape).or_default().push(index);
    }
    let mut names = vec![String::new(); model.weights().len()];
    let mut misfits = Vec::new();
    for (shape, weights) in shapes {
        let mut found: Vec<&str> = there.iter().filter(|(_, s)| s == shape).map(|(name, _)| name.as_str()).collect();
        found.sort_by_key(|name| numbers(name));
        let one_stem = found.windows(2).all(|pair| stem(pair[0]) == stem(pair[1]));
        if found.len() == weights.len() && (found.len() == 1 || one_stem) {
            for (index, name) in weights.iter().zip(found) {
                if let Some(slot) = names.get_mut(*index) {
                    *slot = name.to_string();
                }
            }
            continue;
        }
        let wanted: Vec<&str> = weights.iter().filter_map(|i| model.weights().get(*i)).map(|w| w.path.as_str()).collect();
        misfits.push(match found.len() {
            0 => format!("{}: no variable of shape {shape:?}", wanted.join(", ")),
            _ => format!("{} (shape {shape:?}): could be any of {}", wanted.join(", "), found.join(", ")),
        });
    }
    if misfits.is_empty() {
        return Ok(names);
    }
    let mut list: Vec<String> = there.iter().take(LISTED).map(|(name, shape)| format!("{name} {shape:?}")).collect();
    if there.len() > LISTED {
        list.push(format!("and {} more", there.len() - LISTED));
    }
    misfits.push(format!("the file has {}", if list.is_empty() { "no variables of numbers".into() } else { list.join(", ") }));
    Err(Refusal::Misfits(misfits))
}

/// A name with the numbers of all its parts taken out.
fn stem(name: &str) -> Vec<&str> {
    name.split('/').map(|part| split(part).0).collect()
}

/// The numbers of a name's parts.
fn numbers(name: &str) -> Vec<u64> {
    name.split('/').map(|part| split(part).1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_behind_names() {
        assert_eq!(split("Variable_12"), ("Variable", 12));
        assert_eq!(split("Variable"), ("Variable", 0));
        assert_eq!(split("wd1"), ("wd1", 0));
        assert_eq!(split("a_b"), ("a_b", 0));
        assert_eq!(split("a_"), ("a_", 0));
        assert_eq!(split("a_99999999999999999999"), ("a_99999999999999999999", 0));
        assert_eq!((stem("conv2d_1/kernel"), numbers("conv2d_1/kernel")), (vec!["conv2d", "kernel"], vec![1, 0]));
    }
}
