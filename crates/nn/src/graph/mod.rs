//! How layers become a graph: a chain ([`Sequential`]) or symbolic calls ([`Tensor`]).

mod flat;
mod functional;
mod order;
mod sequential;
mod submodel;

pub(crate) use flat::Flat;
pub use flat::Part;
pub use functional::{Call, Tensor, apply};
pub use sequential::Sequential;
pub use submodel::Submodel;

use crate::error::{Error, Result};
use crate::layers::{Built, Layer, Shape, check_size};
use crate::precision::Precision;
use std::collections::HashMap;
use std::sync::Arc;

/// Which Keras class a model is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A chain of layers.
    Sequential,
    /// A graph of layers.
    Functional,
}

/// A layer of a model, with its final name.
#[derive(Clone, Debug)]
pub struct GraphLayer {
    /// The layer itself.
    pub layer: Arc<dyn Layer>,
    /// Unique name.
    pub name: String,
}

/// One call of a layer.
#[derive(Clone, Debug)]
pub struct Node {
    /// Index of the layer.
    pub layer: usize,
    /// The nodes whose outputs it takes.
    pub inputs: Vec<usize>,
    /// Which call of its layer this is (0 for the first).
    pub call: usize,
    /// Output shape.
    pub shape: Shape,
}

/// Layers and calls in topological order.
#[derive(Clone, Debug)]
pub struct Graph {
    /// Name of the model.
    pub name: String,
    /// How it was made.
    pub kind: Kind,
    /// Layers in order of first call.
    pub layers: Vec<GraphLayer>,
    /// Calls; a node's inputs come before it.
    pub nodes: Vec<Node>,
    /// Nodes where samples enter, in the order of the data.
    pub inputs: Vec<usize>,
    /// Nodes whose outputs the model returns.
    pub outputs: Vec<usize>,
    /// The dtype policy of layers that have none of their own.
    pub precision: Precision,
}

impl Graph {
    /// Whether a layer is the input of a Sequential model, which Keras does not count among its layers.
    pub fn is_entry(&self, layer: usize) -> bool {
        self.kind == Kind::Sequential && self.layers[layer].layer.is_input()
    }

    /// The dtype policy of a layer.
    pub fn precision_of(&self, layer: usize) -> Precision {
        self.layers[layer].layer.base().precision.unwrap_or(self.precision)
    }
}

/// Builds a layer for `inputs`, naming it in the error. Sizes that a file claims are refused before memory is set aside for them.
pub(crate) fn build(layer: &dyn Layer, name: &str, inputs: &[Shape]) -> Result<Built> {
    let sized = || {
        inputs.iter().try_for_each(|shape| check_size("an input", shape))?;
        let built = layer.build(inputs)?;
        built.weights.iter().try_for_each(|spec| spec.check().and_then(|()| check_size(spec.name, &spec.shape)))?;
        built.steps.iter().try_for_each(|step| check_size("the output", &step.output))?;
        Ok(built)
    };
    sized().map_err(|message| Error::Layer { layer: name.to_string(), class: layer.class_name().to_string(), message })
}

/// The output shape of a layer built for `inputs`.
pub(crate) fn output_shape(layer: &dyn Layer, built: &Built, inputs: &[Shape]) -> Shape {
    if let Some(input) = layer.as_any().downcast_ref::<crate::layers::InputLayer>() {
        return input.shape().to_vec();
    }
    if let Some(model) = Submodel::from_layer(layer) {
        return model.output_shape().clone();
    }
    built.steps.last().map_or_else(|| inputs[0].clone(), |s| s.output.clone())
}

/// Gives names to layers as Keras does: the class in snake case, numbered from the second on.
#[derive(Default)]
pub(crate) struct Names {
    used: HashMap<String, ()>,
    counts: HashMap<&'static str, usize>,
}

impl Names {
    /// Reserves a given name.
    pub(crate) fn take(&mut self, model: &str, name: &str) -> Result<()> {
        if self.used.insert(name.to_string(), ()).is_some() {
            return Err(Error::graph(model, format!("two layers are named \"{name}\"; names must differ")));
        }
        Ok(())
    }

    /// Makes up a name that is free.
    pub(crate) fn make(&mut self, stem: &'static str) -> String {
        loop {
            let n = self.counts.entry(stem).or_default();
            let name = if *n == 0 { stem.to_string() } else { format!("{stem}_{n}") };
            *n += 1;
            if self.used.insert(name.clone(), ()).is_none() {
                return name;
            }
        }
    }
}
