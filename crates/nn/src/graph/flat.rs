//! A graph without submodels: what is computed when models contain models.

use super::submodel::{Submodel, Values};
use super::{Graph, GraphLayer, Node};
use crate::error::{Error, Result};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// Most calls of layers that a model may have: submodels that call submodels twice double them at each level.
const MAX_CALLS: usize = 1 << 16;

/// What a model consists of, in Keras' order. Files that keep the nesting follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A layer, by its index in the model's graph.
    Layer(usize),
    /// An InputLayer of a submodel. It computes nothing, but Keras counts it.
    Input,
    /// A submodel.
    Model {
        /// Its name.
        name: String,
        /// Keras' name for its class: `sequential` or `functional`.
        class: &'static str,
        /// What it consists of.
        parts: Vec<Part>,
    },
}

impl Part {
    /// The layers of the graph that belong to this part, in Keras' order.
    pub fn layers(&self) -> Vec<usize> {
        match self {
            Part::Layer(layer) => vec![*layer],
            Part::Input => Vec::new(),
            Part::Model { parts, .. } => parts.iter().flat_map(Part::layers).collect(),
        }
    }
}

/// A graph of plain layers and where they came from.
#[derive(Debug)]
pub(crate) struct Flat {
    pub(crate) graph: Graph,
    pub(crate) parts: Vec<Part>,
    /// Layers of submodels that bring values for their weights, and these values in the layers' order.
    pub(crate) values: Vec<(Range<usize>, Values)>,
}

impl Graph {
    /// Whether a layer is a model.
    pub(crate) fn is_nested(&self) -> bool {
        self.layers.iter().any(|entry| Submodel::from_layer(&*entry.layer).is_some())
    }

    /// The same computation without submodels. A layer `conv2d` of a submodel `digits` becomes `digits/conv2d`.
    ///
    /// # Errors
    /// Two layers of one name, or too many calls.
    pub(crate) fn flatten(&self) -> Result<Flat> {
        let mut flat = Flattening { layers: Vec::new(), nodes: Vec::new(), calls: Vec::new(), values: Vec::new() };
        let mut places = vec![None; self.layers.len()];
        let values = flat.expand(self, "", None, &mut places)?;
        let mut names = HashSet::new();
        if let Some(twice) = flat.layers.iter().find(|layer| !names.insert(layer.name.as_str())) {
            return Err(Error::graph(&self.name, format!("two layers are named \"{}\"; names must differ", twice.name)));
        }
        let graph = Graph {
            name: self.name.clone(),
            kind: self.kind,
            layers: flat.layers,
            nodes: flat.nodes,
            inputs: self.inputs.iter().map(|&node| values[node]).collect(),
            outputs: self.outputs.iter().map(|&node| values[node]).collect(),
            precision: self.precision,
        };
        Ok(Flat { graph, parts: parts(self, places), values: flat.values })
    }
}

/// What a layer of a graph became; absent until it is first called.
#[derive(Clone, Debug)]
enum Place {
    Layer(usize),
    Model(Vec<Option<Place>>),
}

struct Flattening {
    layers: Vec<GraphLayer>,
    nodes: Vec<Node>,
    /// Calls of each layer so far.
    calls: Vec<usize>,
    values: Vec<(Range<usize>, Values)>,
}

impl Flattening {
    /// Adds the calls of `graph`; returns the new node of each of its nodes. A submodel takes `inputs` instead of its InputLayers.
    fn expand(
        &mut self,
        graph: &Graph,
        prefix: &str,
        inputs: Option<&[usize]>,
        places: &mut [Option<Place>],
    ) -> Result<Vec<usize>> {
        let mut values: Vec<usize> = Vec::with_capacity(graph.nodes.len());
        for (index, node) in graph.nodes.iter().enumerate() {
            let given = graph.inputs.iter().position(|&input| input == index).and_then(|at| inputs?.get(at));
            if let Some(&given) = given {
                values.push(given);
                continue;
            }
            if self.nodes.len() >= MAX_CALLS {
                return Err(Error::graph(&graph.name, format!("has more than {MAX_CALLS} calls of layers with its submodels")));
            }
            let entry = &graph.layers[node.layer];
            let taken: Vec<usize> = node.inputs.iter().map(|&input| values[input]).collect();
            let Some(submodel) = Submodel::from_layer(&*entry.layer) else {
                values.push(self.call(entry, prefix, node, taken, &mut places[node.layer]));
                continue;
            };
            let inner = submodel.graph();
            let (first, before) = (places[node.layer].is_none(), self.layers.len());
            let place = places[node.layer].get_or_insert_with(|| Place::Model(vec![None; inner.layers.len()]));
            let Place::Model(below) = place else { continue };
            let inner_values = self.expand(inner, &format!("{prefix}{}/", entry.name), Some(&taken), below)?;
            values.push(inner_values[inner.outputs[0]]);
            if let Some(initial) = submodel.values().filter(|_| first) {
                // Its layers follow each other, in the order of a model that is made of the same graph.
                self.values.push((before..self.layers.len(), Arc::clone(initial)));
            }
        }
        Ok(values)
    }

    fn call(&mut self, entry: &GraphLayer, prefix: &str, node: &Node, inputs: Vec<usize>, place: &mut Option<Place>) -> usize {
        let layer = match place {
            Some(Place::Layer(layer)) => *layer,
            _ => {
                self.layers.push(GraphLayer { layer: Arc::clone(&entry.layer), name: format!("{prefix}{}", entry.name) });
                self.calls.push(0);
                *place = Some(Place::Layer(self.layers.len() - 1));
                self.layers.len() - 1
            }
        };
        self.nodes.push(Node { layer, inputs, call: self.calls[layer], shape: node.shape.clone() });
        self.calls[layer] += 1;
        self.nodes.len() - 1
    }
}

/// The parts of a graph whose layers have found their places. The InputLayer of a Sequential submodel is no part.
fn parts(graph: &Graph, places: Vec<Option<Place>>) -> Vec<Part> {
    let layers = graph.layers.iter().enumerate().zip(places);
    layers
        .filter_map(|((index, entry), place)| match (place, Submodel::from_layer(&*entry.layer)) {
            (Some(Place::Layer(layer)), _) => Some(Part::Layer(layer)),
            (Some(Place::Model(below)), Some(inner)) => Some(Part::Model {
                name: entry.name.clone(),
                class: entry.layer.default_name(),
                parts: parts(inner.graph(), below),
            }),
            _ => (!graph.is_entry(index)).then_some(Part::Input),
        })
        .collect()
}
