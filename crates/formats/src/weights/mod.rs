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
use std::collections::HashMap;

/// A layer's place in the file.
pub(crate) struct Slot {
    /// Index of the layer in the graph.
    pub(crate) layer: usize,
    /// Its group below `layers`, such as `conv2d_1`.
    pub(crate) slot: String,
}

/// The slots of all layers. The InputLayer of a Sequential model has none.
pub(crate) fn slots(model: &Model) -> Vec<Slot> {
    let graph = model.graph();
    let mut used: HashMap<&str, usize> = HashMap::new();
    let mut slots = Vec::with_capacity(graph.layers.len());
    for (layer, entry) in graph.layers.iter().enumerate() {
        if graph.is_entry(layer) {
            continue;
        }
        let stem = entry.layer.default_name();
        let count = used.entry(stem).or_default();
        let slot = if *count == 0 { stem.to_string() } else { format!("{stem}_{count}") };
        *count += 1;
        slots.push(Slot { layer, slot });
    }
    slots
}
