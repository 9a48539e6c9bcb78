//! What a layer adds to a program.

use super::{Operation, Step};
use crate::activations::Activation;

/// Values and operations.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) shapes: Vec<Vec<usize>>,
    pub(crate) steps: Vec<Step>,
}

impl Parts {
    /// A further value.
    pub(crate) fn value(&mut self, shape: &[usize]) -> usize {
        self.shapes.push(shape.to_vec());
        self.shapes.len() - 1
    }
}

/// One call of a layer, which adds its operations to the program.
#[derive(Debug)]
pub struct Call<'p> {
    parts: &'p mut Parts,
    name: String,
    node: usize,
    shape: &'p [usize],
    inputs: Vec<usize>,
    /// Names of the layer's weights, and where they begin among the program's arrays.
    weights: &'p [&'static str],
    first: usize,
}

impl<'p> Call<'p> {
    /// A call of the layer `name`, whose output has this shape.
    pub(crate) fn new(
        parts: &'p mut Parts,
        (name, node): (String, usize),
        shape: &'p [usize],
        inputs: Vec<usize>,
        weights: (&'p [&'static str], usize),
    ) -> Self {
        Call { parts, name, node, shape, inputs, weights: weights.0, first: weights.1 }
    }

    /// Forgets the operations from this one on.
    pub(crate) fn forget(&mut self, from: usize) {
        self.parts.steps.truncate(from);
    }

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
        &self.parts.shapes[self.inputs[0]]
    }

    /// The shape of what the layer makes.
    pub fn shape(&self) -> &[usize] {
        self.shape
    }

    /// The array of a weight, if the layer has it.
    pub fn weight(&self, name: &str) -> Option<usize> {
        self.weights.iter().position(|own| *own == name).map(|index| self.first + index)
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
        self.add(self.name.clone(), what, inputs, self.shape)
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
        let output = self.parts.value(shape);
        self.parts.steps.push(Step { layer, node: self.node, what, inputs, output });
        output
    }
}
