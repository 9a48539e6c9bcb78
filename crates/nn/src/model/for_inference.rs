//! A model as it is best run when it only predicts.

use super::Model;
use crate::error::Result;
use crate::graph::{Graph, GraphLayer, Node, build};
use crate::layers::{Layer, Shape};
use std::collections::HashMap;
use std::sync::Arc;

impl Model {
    /// The same function, made for prediction: batch normalization and activations become part of the layer before them, and what
    /// only acts in training goes. Outputs differ from this model's by rounding.
    ///
    /// The new model has this one's weights as they are now, its own memory, and the same threads. It is a model to run, not to
    /// save or train: layers are fewer than in the file.
    ///
    /// ```
    /// # use maobi_nn::{graph::Sequential, layers::{BatchNormalization, Conv2D, InputLayer, ReLU}};
    /// let model = Sequential::new().add(InputLayer::new([8, 8, 1])).add(Conv2D::new(4, 3)).add(BatchNormalization::new()).add(ReLU::new()).build(1)?;
    /// assert_eq!(model.for_inference()?.graph().layers.len(), 2);
    /// # Ok::<(), maobi_nn::Error>(())
    /// ```
    ///
    /// # Errors
    /// None that a model which could be built knows; building is done anew.
    pub fn for_inference(&self) -> Result<Model> {
        let (graph, values) = Folding::of(self).finish()?;
        let mut model = Model::from_graph(graph, self.seed)?;
        model.pool = Arc::clone(&self.pool);
        for (weight, values) in model.weights.iter_mut().zip(values) {
            weight.set_values(&values);
        }
        Ok(model)
    }
}

/// A layer on its way into the new model.
struct Entry {
    layer: Arc<dyn Layer>,
    name: String,
    weights: Vec<Vec<f32>>,
}

/// The new graph while the old one is walked.
struct Folding<'a> {
    old: &'a Model,
    /// Per layer of the old graph, its place among the new ones.
    places: HashMap<usize, usize>,
    entries: Vec<Entry>,
    nodes: Vec<Node>,
    /// Per node of the old graph, the node of the new one with its value.
    moved: Vec<usize>,
    /// Per node of the old graph, whether one node reads it and nobody else.
    private: Vec<bool>,
}

impl<'a> Folding<'a> {
    fn of(old: &'a Model) -> Self {
        let graph = &old.graph;
        let private = (0..graph.nodes.len())
            .map(|n| {
                let readers = graph.nodes.iter().flat_map(|node| &node.inputs).filter(|&&input| input == n).count();
                readers == 1 && !graph.outputs.contains(&n)
            })
            .collect();
        let mut folding = Folding { old, places: HashMap::new(), entries: vec![], nodes: vec![], moved: vec![], private };
        for index in 0..graph.nodes.len() {
            let place = folding.place(index);
            folding.moved.push(place);
        }
        folding
    }

    /// The node of the new graph for one of the old.
    fn place(&mut self, index: usize) -> usize {
        let node = &self.old.graph.nodes[index];
        if let &[input] = node.inputs.as_slice() {
            if self.acts_only_in_training(node) {
                // Who reads this one reads what comes before it.
                self.private[index] &= self.private[input];
                return self.moved[input];
            }
            if self.private[input] && self.joined(node, self.moved[input]) {
                return self.moved[input];
            }
        }
        self.copied(node)
    }

    fn acts_only_in_training(&self, node: &Node) -> bool {
        let graph = &self.old.graph;
        let entry = &graph.layers[node.layer];
        let shapes: Vec<Shape> = node.inputs.iter().map(|&n| graph.nodes[n].shape.clone()).collect();
        let passes = |built: crate::layers::Built| {
            built.weights.is_empty() && built.steps.iter().all(|step| step.op.is_identity_in_inference())
        };
        self.plain(node.layer) && build(&*entry.layer, &entry.name, &shapes).is_ok_and(passes)
    }

    /// Gives what a node does to the new node before it; `false` where that cannot be.
    fn joined(&mut self, node: &Node, before: usize) -> bool {
        let place = self.nodes[before].layer;
        if !self.plain(node.layer) || !self.places.iter().any(|(&old, &new)| new == place && self.plain(old)) {
            return false;
        }
        let guards: Vec<_> = self.old.layer_weights(node.layer).iter().map(|w| w.values()).collect();
        let weights: Vec<&[f32]> = guards.iter().map(|g| &**g).collect();
        let Some(next) = self.old.graph.layers[node.layer].layer.per_channel(&weights) else { return false };
        let entry = &mut self.entries[place];
        let held: Vec<&[f32]> = entry.weights.iter().map(Vec::as_slice).collect();
        let Some(folded) = entry.layer.followed_by(&next, &held) else { return false };
        entry.layer = Arc::from(folded.layer);
        entry.weights = folded.weights;
        true
    }

    /// Whether a layer is called once and computes in f32.
    fn plain(&self, layer: usize) -> bool {
        let calls = self.old.graph.nodes.iter().filter(|node| node.layer == layer).count();
        calls == 1 && self.old.graph.precision_of(layer).half().is_none()
    }

    fn copied(&mut self, node: &Node) -> usize {
        let next = self.entries.len();
        let place = *self.places.entry(node.layer).or_insert(next);
        if place == next {
            let GraphLayer { layer, name } = self.old.graph.layers[node.layer].clone();
            let weights = self.old.layer_weights(node.layer).iter().map(|w| w.values().to_vec()).collect();
            self.entries.push(Entry { layer, name, weights });
        }
        let inputs = node.inputs.iter().map(|&input| self.moved[input]).collect();
        self.nodes.push(Node { layer: place, inputs, call: node.call, shape: node.shape.clone() });
        self.nodes.len() - 1
    }

    fn finish(self) -> Result<(Graph, Vec<Vec<f32>>)> {
        let old = &self.old.graph;
        let moved = |nodes: &[usize]| nodes.iter().map(|&n| self.moved[n]).collect();
        let (inputs, outputs) = (moved(&old.inputs), moved(&old.outputs));
        let values = self.entries.iter().flat_map(|entry| entry.weights.clone()).collect();
        let layers = self.entries.into_iter().map(|Entry { layer, name, .. }| GraphLayer { layer, name }).collect();
        let graph = Graph {
            name: old.name.clone(),
            kind: old.kind,
            layers,
            nodes: self.nodes,
            inputs,
            outputs,
            precision: old.precision,
        };
        Ok((graph, values))
    }
}
