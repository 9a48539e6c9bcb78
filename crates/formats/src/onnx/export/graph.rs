//! Nodes and initializers as they are made, and in which order of axes each value is there.

use crate::numbers;
use crate::onnx::proto::{Attribute, FLOAT, INT64, Node, Tensor};
use maobi_nn::Program;
use maobi_nn::program::Operation;
use std::collections::{HashMap, HashSet};

/// How the rows of a weight are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Order {
    /// As Keras has them.
    Own,
    /// A kernel `[height, width, in, out]` as `[out, in, height, width]`.
    OutInHeightWidth([usize; 4]),
    /// The rows of a dense kernel from `[height, width, channels]` to `[channels, height, width]`.
    PlanesFirst([usize; 3]),
}

/// Names of one value in the orders in which it has been made.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// Keras' order.
    pub(super) own: Option<String>,
    /// An image as `[batch, channels, height, width]`.
    pub(super) planes: Option<String>,
    /// A flattened image in the order of planes, and its height, width, channels.
    pub(super) flat: Option<(String, [usize; 3])>,
}

/// A graph in the making.
pub(super) struct Writer<'a> {
    pub(super) program: &'a Program<'a>,
    nodes: Vec<Node>,
    initializers: Vec<Tensor>,
    taken: HashSet<String>,
    pub(super) names: Vec<Names>,
    /// Steps that take a value.
    consumers: Vec<Vec<usize>>,
    arrays: HashMap<(usize, Order), String>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(program: &'a Program<'a>) -> Writer<'a> {
        let mut consumers = vec![Vec::new(); program.shapes.len()];
        for (index, step) in program.steps.iter().enumerate() {
            for &input in &step.inputs {
                consumers[input].push(index);
            }
        }
        Writer {
            program,
            nodes: Vec::new(),
            initializers: Vec::new(),
            // Names of inputs and outputs are kept free.
            taken: program.inputs.iter().chain(&program.outputs).map(|(name, _)| name.clone()).collect(),
            names: vec![Names::default(); program.shapes.len()],
            consumers,
            arrays: HashMap::new(),
        }
    }

    pub(super) fn input(&mut self, name: &str, value: usize) {
        self.names[value].own = Some(name.to_string());
    }

    /// A name that is free.
    fn unique(&mut self, name: &str) -> String {
        let mut free = name.to_string();
        let mut count = 1;
        while !self.taken.insert(free.clone()) {
            free = format!("{name}_{count}");
            count += 1;
        }
        free
    }

    /// Appends a node of a layer and returns the name of its output.
    pub(super) fn node(&mut self, layer: &str, op: &str, inputs: Vec<String>, attributes: Vec<Attribute>) -> String {
        let name = self.unique(&format!("{layer}/{op}"));
        let node = Node {
            input: inputs,
            output: vec![name.clone()],
            name: name.clone(),
            op_type: op.into(),
            attribute: attributes,
            ..Node::default()
        };
        self.nodes.push(node);
        name
    }

    /// The name of an initializer with a weight's values.
    pub(super) fn array(&mut self, index: usize, order: Order) -> String {
        if let Some(name) = self.arrays.get(&(index, order)) {
            return name.clone();
        }
        let array = self.program.arrays[index];
        let name = self.unique(&array.path);
        let values = array.values();
        match order {
            Order::Own => self.floats(&name, &array.shape, &values),
            Order::OutInHeightWidth([h, w, i, o]) => {
                self.floats(&name, &[o, i, h, w], &transpose(&values, &[h, w, i, o], &[3, 2, 0, 1]));
            }
            Order::PlanesFirst([h, w, c]) => {
                let units = array.len() / (h * w * c).max(1);
                self.floats(&name, &array.shape, &transpose(&values, &[h, w, c, units], &[2, 0, 1, 3]));
            }
        }
        self.arrays.insert((index, order), name.clone());
        name
    }

    /// The name of an initializer with numbers that are no weight.
    pub(super) fn constant(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        let name = self.unique(name);
        self.floats(&name, dims, values);
        name
    }

    /// The name of a whole-number initializer, one axis.
    pub(super) fn whole(&mut self, name: &str, values: &[i64]) -> String {
        let name = self.unique(name);
        self.initializers.push(Tensor {
            dims: vec![values.len() as i64],
            data_type: Some(INT64),
            name: name.clone(),
            raw_data: Some(values.iter().flat_map(|v| v.to_le_bytes()).collect()),
            ..Tensor::default()
        });
        name
    }

    fn floats(&mut self, name: &str, dims: &[usize], values: &[f32]) {
        self.initializers.push(Tensor {
            dims: dims.iter().map(|&n| n as i64).collect(),
            data_type: Some(FLOAT),
            name: name.into(),
            raw_data: Some(numbers::to_bytes(values)),
            ..Tensor::default()
        });
    }

    /// The value in Keras' order; an image is turned when it is there as planes only.
    pub(super) fn in_order(&mut self, value: usize) -> String {
        if let Some(name) = &self.names[value].own {
            return name.clone();
        }
        let from = self.names[value].planes.clone().unwrap_or_default();
        let layer = from.rsplit_once('/').map_or(from.clone(), |(layer, _)| layer.to_string());
        let name = self.node(&layer, "Transpose", vec![from], vec![Attribute::ints("perm", [0, 2, 3, 1])]);
        self.names[value].own = Some(name.clone());
        name
    }

    /// An image as planes.
    pub(super) fn planes(&mut self, value: usize) -> String {
        if let Some(name) = &self.names[value].planes {
            return name.clone();
        }
        let from = self.in_order(value);
        let layer = from.rsplit_once('/').map_or(from.clone(), |(layer, _)| layer.to_string());
        let name = self.node(&layer, "Transpose", vec![from], vec![Attribute::ints("perm", [0, 3, 1, 2])]);
        self.names[value].planes = Some(name.clone());
        name
    }

    /// Whether all that takes this flattened image can have its weights sorted instead.
    pub(super) fn sortable(&self, value: usize) -> bool {
        let is_output = self.program.outputs.iter().any(|(_, output)| *output == value);
        !is_output
            && self.consumers[value].iter().all(|&step| match &self.program.steps[step].what {
                Operation::Dense { .. } => true,
                Operation::Apply(_) | Operation::Scale { .. } => self.sortable(self.program.steps[step].output),
                _ => false,
            })
    }

    /// Nodes and initializers, after the values that leave the graph have got their names.
    pub(super) fn finish(mut self, outputs: Vec<(String, String)>) -> (Vec<Node>, Vec<Tensor>) {
        let mut renamed: HashMap<String, String> = HashMap::new();
        for (name, value) in outputs {
            let is_input = self.program.inputs.iter().any(|(input, _)| *input == value);
            if is_input || renamed.contains_key(&value) {
                let from = renamed.get(&value).cloned().unwrap_or(value);
                let op = format!("{name}/Identity");
                self.nodes.push(Node {
                    input: vec![from],
                    output: vec![name],
                    name: op,
                    op_type: "Identity".into(),
                    ..Node::default()
                });
            } else {
                renamed.insert(value, name);
            }
        }
        for node in &mut self.nodes {
            for name in node.input.iter_mut().chain(&mut node.output) {
                if let Some(new) = renamed.get(name) {
                    name.clone_from(new);
                }
            }
        }
        (self.nodes, self.initializers)
    }
}

/// The values of an array with its axes in another order: axis `i` of the result is axis `order[i]` of the input.
pub(crate) fn transpose(values: &[f32], shape: &[usize], order: &[usize]) -> Vec<f32> {
    let strides: Vec<usize> = (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect();
    let mut positions = vec![0usize];
    for &axis in order {
        let (length, stride) = (shape[axis], strides[axis]);
        positions = positions.iter().flat_map(|&p| (0..length).map(move |i| p + i * stride)).collect();
    }
    positions.iter().map(|&p| values[p]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_change_places() {
        assert_eq!(transpose(&[0., 1., 2., 3., 4., 5.], &[2, 3], &[1, 0]), [0., 3., 1., 4., 2., 5.]);
        let values: Vec<f32> = (0..24).map(|i| i as f32).collect();
        let turned = transpose(&values, &[2, 3, 4], &[2, 0, 1]);
        assert_eq!(turned[..6], [0., 4., 8., 12., 16., 20.]);
        assert_eq!(transpose(&turned, &[4, 2, 3], &[1, 2, 0]), values);
    }
}
