//! A model as a program: from layers to operations.

use super::{Model, Weight};
use crate::graph::Node;
use crate::program::{Call, Operation, Parts, Step};
use std::collections::HashSet;

/// Operations in order, with one place for the weights.
///
/// ```
/// use maobi_nn::graph::Sequential;
/// use maobi_nn::layers::{Dense, InputLayer};
/// use maobi_nn::Program;
/// use maobi_nn::program::Operation;
///
/// let model = Sequential::new().add(InputLayer::new([4])).add(Dense::new(3).activation("softmax")).build(1)?;
/// let program = Program::of(&model);
/// assert_eq!(program.steps.len(), 2);
/// assert_eq!(program.steps[0].what, Operation::Dense { kernel: 0, bias: Some(1) });
/// assert_eq!((program.arrays[1].path.as_str(), &program.steps[1].what), ("dense/bias", &Operation::Softmax));
/// # Ok::<(), maobi_nn::Error>(())
/// ```
#[derive(Debug)]
pub struct Program<'m> {
    /// The model's name.
    pub name: &'m str,
    /// Shapes of all values; a value is an index here.
    pub shapes: Vec<Vec<usize>>,
    /// The model's inputs: name and value.
    pub inputs: Vec<(String, usize)>,
    /// The model's outputs: name and value. Names differ from each other and from the inputs'.
    pub outputs: Vec<(String, usize)>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// The weights; operations name them by index.
    pub arrays: Vec<&'m Weight>,
}

impl<'m> Program<'m> {
    /// The operations of a model. A layer that has none is an [`Operation::Other`].
    pub fn of(model: &'m Model) -> Program<'m> {
        let graph = model.graph();
        let (mut parts, mut arrays) = (Parts::default(), Vec::new());
        // Per layer, where its weights begin.
        let mut first_array = Vec::with_capacity(graph.layers.len());
        for layer in 0..graph.layers.len() {
            first_array.push(arrays.len());
            arrays.extend(model.layer_weights(layer));
        }
        let mut values: Vec<usize> = Vec::with_capacity(graph.nodes.len());
        for (index, node) in graph.nodes.iter().enumerate() {
            let inputs = node.inputs.iter().map(|&n| values[n]).collect();
            let first = first_array[node.layer];
            values.push(call(&mut parts, model, index, node, inputs, first));
        }
        let mut taken = HashSet::new();
        let mut named = |nodes: &[usize]| -> Vec<(String, usize)> {
            let name_of = |node: usize| graph.layers[graph.nodes[node].layer].name.as_str();
            nodes.iter().map(|&n| (unique(&mut taken, name_of(n)), values[n])).collect()
        };
        let (inputs, outputs) = (named(&graph.inputs), named(&graph.outputs));
        Program { name: &graph.name, shapes: parts.shapes, inputs, outputs, steps: parts.steps, arrays }
    }
}

/// The value of a node; `first` is the layer's first array.
fn call(parts: &mut Parts, model: &Model, index: usize, node: &Node, inputs: Vec<usize>, first: usize) -> usize {
    let entry = &model.graph().layers[node.layer];
    let Some(&input) = inputs.first() else { return parts.value(&node.shape) };
    if entry.layer.acts_only_in_training() {
        return input;
    }
    let name = if node.call == 0 { entry.name.clone() } else { format!("{}_{}", entry.name, node.call) };
    let weights: Vec<&'static str> = model.layer_weights(node.layer).iter().map(|weight| weight.name).collect();
    let before = parts.steps.len();
    let mut call = Call::new(parts, (name, index), &node.shape, inputs, (&weights, first));
    let made = entry.layer.operations(&mut call);
    made.unwrap_or_else(|why| {
        call.forget(before);
        call.step(Operation::Other(format!("layer \"{}\" ({}): {why}", entry.name, entry.layer.class_name())))
    })
}

/// The name itself, or with the first number that is free.
fn unique(taken: &mut HashSet<String>, name: &str) -> String {
    let mut free = name.to_string();
    let mut count = 1;
    while !taken.insert(free.clone()) {
        free = format!("{name}_{count}");
        count += 1;
    }
    free
}
