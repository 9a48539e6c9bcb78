//! From layers to operations.

use super::{Operation, Program, Step};
use crate::activations::Activation;
use crate::graph::Node;
use crate::model::Model;
use std::collections::HashSet;

impl<'m> Program<'m> {
    /// The operations of a model. A layer that has none is an [`Operation::Other`].
    pub fn of(model: &'m Model) -> Program<'m> {
        let graph = model.graph();
        let mut program =
            Program { name: &graph.name, shapes: vec![], inputs: vec![], outputs: vec![], steps: vec![], arrays: vec![] };
        // Per layer, where its weights begin.
        let mut first_array = Vec::with_capacity(graph.layers.len());
        for layer in 0..graph.layers.len() {
            first_array.push(program.arrays.len());
            program.arrays.extend(model.layer_weights(layer));
        }
        let mut values: Vec<usize> = Vec::with_capacity(graph.nodes.len());
        for (index, node) in graph.nodes.iter().enumerate() {
            let inputs = node.inputs.iter().map(|&n| values[n]).collect();
            let first = first_array[node.layer];
            let arrays = first..first + model.layer_weights(node.layer).len();
            values.push(program.call(model, index, node, inputs, arrays));
        }
        let mut taken = HashSet::new();
        let mut named = |nodes: &[usize]| -> Vec<(String, usize)> {
            let name_of = |node: usize| graph.layers[graph.nodes[node].layer].name.as_str();
            nodes.iter().map(|&n| (unique(&mut taken, name_of(n)), values[n])).collect()
        };
        (program.inputs, program.outputs) = (named(&graph.inputs), named(&graph.outputs));
        program
    }

    /// The value of a node.
    fn call(&mut self, model: &Model, index: usize, node: &Node, inputs: Vec<usize>, arrays: std::ops::Range<usize>) -> usize {
        let entry = &model.graph().layers[node.layer];
        let Some(&first) = inputs.first() else { return self.value(&node.shape) };
        if entry.layer.acts_only_in_training() {
            return first;
        }
        let name = if node.call == 0 { entry.name.clone() } else { format!("{}_{}", entry.name, node.call) };
        let before = self.steps.len();
        let mut call = Call { program: self, name, node: index, shape: &node.shape, inputs, arrays };
        entry.layer.operations(&mut call).unwrap_or_else(|why| {
            call.program.steps.truncate(before);
            call.step(Operation::Other(format!("layer \"{}\" ({}): {why}", entry.name, entry.layer.class_name())))
        })
    }

    fn value(&mut self, shape: &[usize]) -> usize {
        self.shapes.push(shape.to_vec());
        self.shapes.len() - 1
    }
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

/// One call of a layer, which adds its operations to the program.
#[derive(Debug)]
pub struct Call<'p, 'm> {
    program: &'p mut Program<'m>,
    name: String,
    node: usize,
    shape: &'p [usize],
    inputs: Vec<usize>,
    /// The layer's weights, among the program's arrays.
    arrays: std::ops::Range<usize>,
}

impl Call<'_, '_> {
    /// The values that the layer takes, one at least.
    pub fn inputs(&self) -> &[usize] {
        &self.inputs
    }

    /// The first of them.
    pub fn input(&self) -> usize {
        self.inputs[0]
    }

    /// The shape of the first input.
    pub fn input_shape(&self) -> &[usize] {
        &self.program.shapes[self.inputs[0]]
    }

    /// The shape of what the layer makes.
    pub fn shape(&self) -> &[usize] {
        self.shape
    }

    /// The array of a weight, if the layer has it.
    pub fn weight(&self, name: &str) -> Option<usize> {
        self.arrays.clone().find(|&array| self.program.arrays[array].name == name)
    }

    /// The array of a weight.
    ///
    /// # Errors
    /// When the layer has no weight of that name.
    pub fn needs(&self, name: &str) -> Result<usize, String> {
        self.weight(name).ok_or_else(|| format!("has no weight {name}"))
    }

    /// Adds an operation on the layer's inputs that makes its output.
    pub fn step(&mut self, what: Operation) -> usize {
        self.last(what, self.inputs.clone())
    }

    /// Adds an operation that makes the layer's output.
    pub fn last(&mut self, what: Operation, inputs: Vec<usize>) -> usize {
        self.add(self.name.clone(), what, inputs, &self.shape.to_vec())
    }

    /// Adds an operation in the middle of the layer, under a name of its own.
    pub fn part(&mut self, part: &str, what: Operation, inputs: Vec<usize>, shape: &[usize]) -> usize {
        self.add(format!("{}/{part}", self.name), what, inputs, shape)
    }

    /// What an activation function makes of a value of the output's shape.
    ///
    /// # Errors
    /// When no operation is that function.
    pub fn activation(&mut self, function: &Activation, value: usize) -> Result<usize, String> {
        let what = match function {
            Activation::Softmax => Operation::Softmax,
            Activation::Elementwise(super::Function::Linear) => return Ok(value),
            Activation::Elementwise(super::Function::Gelu { approximate: true }) | Activation::Unknown(_) => {
                return Err(format!("activation \"{}\" has no counterpart", function.name()));
            }
            Activation::Elementwise(kernel) => Operation::Apply(*kernel),
        };
        Ok(self.last(what, vec![value]))
    }

    fn add(&mut self, layer: String, what: Operation, inputs: Vec<usize>, shape: &[usize]) -> usize {
        let output = self.program.value(shape);
        self.program.steps.push(Step { layer, node: self.node, what, inputs, output });
        output
    }
}
