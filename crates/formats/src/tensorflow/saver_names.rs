//! What a name-based checkpoint calls the weights.
//!
//! Names are a habit, not part of the format. Two are known here: `conv2d/kernel`, `conv2d_1/kernel`, `dense/kernel`, … of `tf.layers`
//! and the estimators ([`layer_names`]), and `Variable`, `Variable_1`, … of a network made of bare `tf.Variable`s ([`variable_names`]).

use crate::weights::slots;
use maobi_nn::Model;

/// The variable that counts steps.
pub(super) const GLOBAL_STEP: &str = "global_step";

/// Names of all weights, in the order of [`Model::weights`], as `tf.layers` and the estimators give them: `conv2d/kernel`,
/// `conv2d_1/kernel`, `dense/bias`, ….
pub fn layer_names(model: &Model) -> Vec<String> {
    let slots = slots(model);
    let of = |layer: usize| slots.iter().find(|s| s.layer == layer).map_or("", |s| s.slot.as_str());
    let layers = 0..model.graph().layers.len();
    layers
        .flat_map(|layer| model.layer_weights(layer).iter().map(move |weight| (layer, weight.name)))
        .map(|(layer, name)| format!("{}/{name}", of(layer)))
        .collect()
}

/// Names of all weights, in the order of [`Model::weights`], as bare `tf.Variable`s get them: `Variable`, `Variable_1`, ….
pub fn variable_names(model: &Model) -> Vec<String> {
    let name = |n: usize| if n == 0 { "Variable".to_string() } else { format!("Variable_{n}") };
    (0..model.weights().len()).map(name).collect()
}

/// Names of all weights by the layers' own names: `conv1/kernel`.
pub(super) fn own_names(model: &Model) -> Vec<String> {
    model.weights().iter().map(|weight| weight.path.clone()).collect()
}
