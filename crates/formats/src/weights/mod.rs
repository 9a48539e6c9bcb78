//! Weights and optimizer state in Keras' HDF5 layouts: Keras 3's `layers/<slot>/vars/<n>` and `optimizer/vars/<n>`, and the older
//! one of `.h5` files (`legacy.rs`).
//!
//! A slot is the layer's class in snake case, numbered per class in the order of the layers (keras/src/saving/saving_lib.py,
//! `_save_container_state`); the layer's own name is an attribute.

pub(crate) mod legacy;
pub(crate) mod named;
mod optimizer;
mod read;
mod values;
mod write;

pub(crate) use optimizer::OptimizerValues;
pub(crate) use read::{apply, read_any, read_weights, read_whole};
pub(crate) use values::{Refusal, Values};
pub(crate) use write::{keras_has_schedule, to_bytes};

use maobi_nn::Model;
use maobi_nn::graph::Part;
use std::collections::HashMap;

/// A layer's place in the file.
pub(crate) struct Slot {
    /// Index of the layer in the graph.
    pub(crate) layer: usize,
    /// Its group below `layers`, such as `conv2d_1`; of a submodel's layer `sequential/layers/conv2d_1`.
    pub(crate) slot: String,
    /// The layer's own name, without that of its submodel.
    pub(crate) name: String,
}

/// The slots of all layers. The InputLayer of a Sequential model has none.
pub(crate) fn slots(model: &Model) -> Vec<Slot> {
    let mut slots = Vec::with_capacity(model.graph().layers.len());
    below(model, model.parts(), ("", ""), &mut slots);
    slots
}

/// Adds the slots of a model's or a submodel's parts; `group` and `name` are in front of theirs.
fn below(model: &Model, parts: &[Part], (group, name): (&str, &str), slots: &mut Vec<Slot>) {
    let graph = model.graph();
    let mut used: HashMap<&str, usize> = HashMap::new();
    for part in parts {
        let stem = match part {
            Part::Layer(layer) if graph.is_entry(*layer) => continue,
            Part::Layer(layer) => graph.layers[*layer].layer.default_name(),
            Part::Input => "input_layer",
            Part::Model { class, .. } => class,
        };
        let count = used.entry(stem).or_default();
        let slot = if *count == 0 { format!("{group}{stem}") } else { format!("{group}{stem}_{count}") };
        *count += 1;
        match part {
            Part::Layer(layer) => {
                let full = &graph.layers[*layer].name;
                slots.push(Slot { layer: *layer, slot, name: full.strip_prefix(name).unwrap_or(full).to_string() });
            }
            Part::Input => {}
            Part::Model { name: inner, parts, .. } => {
                below(model, parts, (&format!("{slot}/layers/"), &format!("{name}{inner}/")), slots);
            }
        }
    }
}
