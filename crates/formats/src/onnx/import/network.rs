//! The graph on its way from the file: values by name, layers as they are made, and their weights.

use super::Problem;
use super::attributes::Call;
use super::constant::{self, Constant};
use super::order::Order;
use super::value::{Traced, Value};
use crate::onnx::proto::{FLOAT, Graph, Length, Node, Tensor as TensorProto, ValueInfo};
use maobi_nn::Model;
use maobi_nn::graph::Tensor;
use maobi_nn::layers::InputLayer;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;

/// Most nodes of a graph.
const MAX_NODES: usize = 20_000;
/// Most values of a sample.
const MAX_VALUES: usize = 1 << 28;
/// Values that constants made of others may have in the smallest file.
const SMALL_CONSTANTS: usize = 1 << 20;
/// Weights may be used by more than one layer; the sum over layers is at most this many times what the file holds.
const MAX_SHARING: usize = 8;

/// What is read so far.
pub(super) struct Network<'a> {
    pub(super) graph: &'a Graph,
    pub(super) opset: i64,
    /// Whether this library wrote the file: names of nodes are then those of layers.
    pub(super) own: bool,
    folder: Option<&'a Path>,
    initializers: HashMap<&'a str, &'a TensorProto>,
    values: HashMap<&'a str, Value>,
    consumers: HashMap<&'a str, Vec<usize>>,
    outputs: HashSet<&'a str>,
    /// Nodes that became part of a layer before their turn.
    pub(super) done: HashSet<usize>,
    inputs: Vec<Tensor>,
    /// The fixed length of the batch, where the file has one.
    pub(super) batch: Option<i64>,
    weights: Vec<(String, Vec<Vec<f32>>)>,
    names: HashSet<String>,
    /// Weight values that may still be given out.
    left: usize,
    /// Values of constants made of others that may still be kept.
    left_for_constants: usize,
    pub(super) notes: Vec<String>,
}

impl<'a> Network<'a> {
    pub(super) fn new(graph: &'a Graph, opset: i64, own: bool, folder: Option<&'a Path>) -> Result<Network<'a>, Problem> {
        if graph.node.len() > MAX_NODES {
            return Err(Problem::Unsupported(format!("{} nodes; at most {MAX_NODES} are read", graph.node.len())));
        }
        let mut consumers: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, node) in graph.node.iter().enumerate() {
            for input in &node.input {
                consumers.entry(input).or_default().push(index);
            }
        }
        let stored: usize = graph.initializer.iter().map(values_of).sum();
        let constants: usize = graph.node.iter().flat_map(|n| &n.attribute).filter_map(|a| a.t.as_ref()).map(values_of).sum();
        Ok(Network {
            graph,
            opset,
            own,
            folder,
            initializers: graph.initializer.iter().map(|t| (t.name.as_str(), t)).collect(),
            values: HashMap::new(),
            consumers,
            outputs: graph.output.iter().map(|o| o.name.as_str()).collect(),
            done: HashSet::new(),
            inputs: Vec::new(),
            batch: None,
            weights: Vec::new(),
            names: HashSet::new(),
            left: (stored + constants).saturating_mul(MAX_SHARING),
            left_for_constants: (stored + constants).saturating_mul(MAX_SHARING).saturating_add(SMALL_CONSTANTS),
            notes: Vec::new(),
        })
    }

    /// The value of that name.
    pub(super) fn value(&self, name: &str) -> Result<Value, Problem> {
        if let Some(value) = self.values.get(name) {
            return Ok(value.clone());
        }
        let tensor = self
            .initializers
            .get(name)
            .ok_or_else(|| Problem::Damaged(format!("value \"{name}\" is made by no node before it is used")))?;
        let constant = constant::read(tensor, self.folder).map_err(Problem::Damaged)?;
        Ok(Value::Constant(Rc::new(constant)))
    }

    pub(super) fn constant_of(&self, tensor: &TensorProto) -> Result<Constant, Problem> {
        constant::read(tensor, self.folder).map_err(Problem::Damaged)
    }

    /// An input that is no constant.
    pub(super) fn traced(&self, call: Call<'_>, index: usize) -> Result<Traced, Problem> {
        match self.optional(call, index)? {
            Some(Value::Traced(traced)) => Ok(traced),
            Some(Value::Constant(_)) => {
                Err(call.unsupported(format!("input {index} is a constant; a tensor of samples is expected")))
            }
            None => Err(call.damaged(format!("has no input {index}"))),
        }
    }

    /// An input that is a constant.
    pub(super) fn constant(&self, call: Call<'_>, index: usize) -> Result<Rc<Constant>, Problem> {
        self.constant_or_none(call, index)?.ok_or_else(|| call.damaged(format!("has no input {index}")))
    }

    /// An input that is a constant or left out.
    pub(super) fn constant_or_none(&self, call: Call<'_>, index: usize) -> Result<Option<Rc<Constant>>, Problem> {
        match self.optional(call, index)? {
            Some(Value::Constant(constant)) => Ok(Some(constant)),
            Some(Value::Traced(_)) => Err(call.unsupported(format!(
                "input {index} (\"{}\") depends on the samples; a constant is read there",
                call.input(index).unwrap_or("")
            ))),
            None => Ok(None),
        }
    }

    pub(super) fn optional(&self, call: Call<'_>, index: usize) -> Result<Option<Value>, Problem> {
        call.input(index).map(|name| self.value(name)).transpose()
    }

    /// Whole numbers that are an attribute in older operator sets and an input in newer ones.
    pub(super) fn list(&self, call: Call<'_>, attribute: &str, index: usize) -> Result<Option<Vec<i64>>, Problem> {
        if let Some(values) = call.ints(attribute) {
            return Ok(Some(values.to_vec()));
        }
        let Some(constant) = self.constant_or_none(call, index)? else { return Ok(None) };
        let values = constant.whole().ok_or_else(|| call.unsupported(format!("input {index}: whole numbers are expected")))?;
        Ok(Some(values.to_vec()))
    }

    pub(super) fn set(&mut self, name: &'a str, value: Value) {
        self.values.insert(name, value);
    }

    /// Keeps a constant that was made of others, counted against what the file holds.
    pub(super) fn set_constant(&mut self, call: Call<'a>, constant: Constant) -> Result<(), Problem> {
        let left = self.left_for_constants.checked_sub(constant.len());
        self.left_for_constants = left.ok_or_else(|| {
            call.unsupported(format!("the constants made on the way have more than {MAX_SHARING} times the values of the file"))
        })?;
        self.set(call.output()?, Value::Constant(Rc::new(constant)));
        Ok(())
    }

    /// The node that alone takes a value which is no output of the network.
    pub(super) fn only_consumer(&self, value: &str) -> Option<(usize, Call<'a>)> {
        let consumers = self.consumers.get(value)?;
        let &[index] = consumers.as_slice() else { return None };
        let node: &'a Node = self.graph.node.get(index)?;
        (!self.outputs.contains(value) && !self.done.contains(&index)).then_some((index, Call { node }))
    }

    /// The nodes that take a value, and their numbers.
    pub(super) fn numbered_consumers(&self, value: &str) -> impl Iterator<Item = (usize, Call<'a>)> + use<'a, '_> {
        let graph = self.graph;
        self.consumers.get(value).into_iter().flatten().filter_map(move |&i| Some((i, Call { node: graph.node.get(i)? })))
    }

    pub(super) fn is_output(&self, value: &str) -> bool {
        self.outputs.contains(value)
    }

    /// The values of a named constant, counted against what the file holds.
    pub(super) fn weight(&mut self, call: Call<'_>, values: Vec<f32>) -> Result<Vec<f32>, Problem> {
        self.left = self
            .left
            .checked_sub(values.len())
            .ok_or_else(|| call.unsupported(format!("the same weights are used more than {MAX_SHARING} times over")))?;
        Ok(values)
    }

    /// Keeps the weights of a layer, in Keras' order.
    pub(super) fn keep(&mut self, layer: &str, weights: Vec<Vec<f32>>) {
        self.weights.push((layer.to_string(), weights));
    }

    /// A name for a layer with weights: that of the weight without its last part, else that of the node, else the class.
    pub(super) fn name(&mut self, call: Call<'_>, weight: usize, class: &str) -> String {
        let weight = call.input(weight).unwrap_or("");
        let endings = [".weight", "/kernel", ".kernel", "/depthwise_kernel", "/pointwise_kernel", "/gamma"];
        let of_weight = endings.iter().find_map(|ending| weight.strip_suffix(ending));
        let of_node = call.node.name.rsplit_once('/').map(|(front, _)| front);
        let wanted = if self.own { of_node } else { of_weight.or(of_node) }.unwrap_or(class);
        // Scopes of PyTorch and TensorFlow: the last part is the layer.
        let last = if self.own { wanted } else { wanted.rsplit('/').find(|part| !part.is_empty()).unwrap_or(class) };
        self.unique(last)
    }

    /// That name, without what Keras does not allow in names, and a number behind when it is taken.
    pub(super) fn unique(&mut self, wanted: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' };
        let stem: String = wanted.chars().take(200).map(plain).collect();
        let mut free = stem.clone();
        let mut count = 1;
        while !self.names.insert(free.clone()) {
            free = format!("{stem}_{count}");
            count += 1;
        }
        free
    }

    /// A name for a layer without weights; ours are kept, others are made up.
    pub(super) fn own_name(&mut self, call: Call<'_>) -> Option<String> {
        if !self.own {
            return None;
        }
        let (layer, _) = call.node.name.rsplit_once('/')?;
        let layer = layer.to_string();
        (!self.names.contains(&layer)).then(|| self.unique(&layer))
    }

    /// The network's inputs. An image that the file takes channels first is taken channels last here.
    pub(super) fn inputs(&mut self) -> Result<(), Problem> {
        let graph = self.graph;
        let mut planes = Vec::new();
        for info in &graph.input {
            // Old files list their weights as inputs too.
            if self.initializers.contains_key(info.name.as_str()) {
                continue;
            }
            let (batch, shape) = axes(info)?;
            self.batch = self.batch.or(batch);
            let name = self.unique(&info.name);
            let turned = match shape.as_slice() {
                &[c, h, w] if self.takes_planes(&info.name, [c, h, w]) => Some([h, w, c]),
                _ => None,
            };
            let tensor = InputLayer::new(turned.map_or_else(|| shape.clone(), |s| s.to_vec())).name(&name).input();
            let order = turned.map_or_else(|| Order::same(&shape), Order::planes);
            if let Some([h, w, c]) = turned {
                planes.push(format!("\"{name}\" takes [batch, {h}, {w}, {c}]"));
            }
            self.inputs.push(tensor.clone());
            self.set(&info.name, Value::Traced(Traced { tensor, order, shape, positive: false }));
        }
        if self.inputs.is_empty() {
            return Err(Problem::Unsupported("the graph has no input".into()));
        }
        if !planes.is_empty() {
            self.notes.push(format!("{}: channels last; the file had the channels second", planes.join(", ")));
        }
        if let Some(batch) = self.batch {
            self.notes.push(format!("the file has a batch of {batch}; any is taken here"));
        }
        Ok(())
    }

    /// Whether an input of that name is an image with its channels first: what takes it decides, and where that says nothing, a
    /// first axis of 1, 3 or 4 before two longer ones.
    fn takes_planes(&self, name: &str, [c, h, w]: [usize; 3]) -> bool {
        let mut names = vec![name];
        let mut seen = HashSet::new();
        while let Some(name) = names.pop() {
            for (_, call) in self.numbered_consumers(name) {
                match call.node.op_type.as_str() {
                    "Conv" | "MaxPool" | "AveragePool" | "GlobalAveragePool" | "GlobalMaxPool" | "BatchNormalization"
                    | "Resize" | "Upsample" => return true,
                    // [batch, height, width, channels] on its way to the others.
                    "Transpose" if call.ints("perm") == Some(&[0, 3, 1, 2]) => return false,
                    "Identity" | "Cast" | "Sub" | "Add" | "Mul" | "Div" | "Pad" | "Relu" | "Clip" | "Dropout" => {
                        if let Some(output) = call.node.output.first().filter(|o| seen.insert(o.as_str())) {
                            names.push(output);
                        }
                    }
                    _ => {}
                }
            }
        }
        !self.own && matches!(c, 1 | 3 | 4) && h > c && w > c
    }

    /// Builds the model, in full or not at all.
    pub(super) fn finish(mut self, seed: u64) -> Result<(Model, Vec<String>), Problem> {
        let mut outputs = Vec::new();
        let graph = self.graph;
        for info in &graph.output {
            let Value::Traced(traced) = self.value(&info.name)? else {
                return Err(Problem::Unsupported(format!("output \"{}\" does not depend on the input", info.name)));
            };
            let tensor = match traced.image() {
                Ok(image) => {
                    if !traced.order.is_same() {
                        self.notes.push(format!("output \"{}\" has its channels last; the file had them second", info.name));
                    }
                    image
                }
                Err(_) => traced.plain().map_err(|m| Problem::Unsupported(format!("output \"{}\": {m}", info.name)))?,
            };
            outputs.push(tensor);
        }
        let name = self.unique(if graph.name.is_empty() { "onnx" } else { &graph.name });
        let inputs: Vec<&Tensor> = self.inputs.iter().collect();
        let mut model = Model::new(name, &inputs, &outputs.iter().collect::<Vec<_>>(), seed)?;
        let given: HashMap<&str, &Vec<Vec<f32>>> =
            self.weights.iter().map(|(layer, weights)| (layer.as_str(), weights)).collect();
        let mut values = Vec::with_capacity(model.weights().len());
        for (layer, entry) in model.graph().layers.iter().enumerate() {
            let own = model.layer_weights(layer);
            let given = given.get(entry.name.as_str()).map(|w| w.as_slice()).unwrap_or_default();
            let fits = own.len() == given.len() && own.iter().zip(given).all(|(own, given)| own.len() == given.len());
            if !fits {
                return Err(Problem::Damaged(format!("layer \"{}\": its weights in the file do not fit together", entry.name)));
            }
            values.extend(given.iter());
        }
        let values: Vec<Vec<f32>> = values.into_iter().cloned().collect();
        crate::weights::named::put(&mut model, &values);
        Ok((model, self.notes))
    }
}

/// Batch (where fixed) and axes of an input.
fn axes(info: &ValueInfo) -> Result<(Option<i64>, Vec<usize>), Problem> {
    let wrong = |message: &str| Problem::Unsupported(format!("input \"{}\": {message}", info.name));
    let tensor = info.r#type.as_ref().and_then(|t| t.tensor_type.as_ref()).ok_or_else(|| wrong("is no tensor"))?;
    // Pixels and half floats are numbers too; everything is f32 here.
    if !matches!(tensor.elem_type, Some(FLOAT | 2 | 10 | 11 | 16)) {
        return Err(wrong(&format!("element type {}; floating-point numbers or u8 are read", tensor.elem_type.unwrap_or(0))));
    }
    let dims = tensor.shape.as_ref().map(|s| s.dim.as_slice()).unwrap_or_default();
    let length = |d: &crate::onnx::proto::Dimension| match d.value {
        Some(Length::Value(n)) if n > 0 => Some(n),
        _ => None,
    };
    let Some((batch, axes)) = dims.split_first().filter(|(_, axes)| !axes.is_empty()) else {
        return Err(wrong("needs a batch axis and at least one more"));
    };
    let axes: Option<Vec<usize>> = axes.iter().map(|d| length(d).and_then(|n| usize::try_from(n).ok())).collect();
    let axes = axes.ok_or_else(|| wrong("only the batch may have a free length; export with a fixed height and width"))?;
    if axes.iter().try_fold(1usize, |a, &n| a.checked_mul(n)).is_none_or(|n| n > MAX_VALUES) {
        return Err(wrong(&format!("axes {axes:?}: more than {MAX_VALUES} values")));
    }
    Ok((length(batch), axes))
}

/// Number of values a tensor holds, from its bytes, not from its axes.
fn values_of(tensor: &TensorProto) -> usize {
    let raw = tensor.raw_data.as_ref().map_or(0, |raw| raw.len() / 2 + 1);
    let listed = tensor.float_data.len() + tensor.int32_data.len() + tensor.int64_data.len() + tensor.double_data.len();
    let external = tensor.external_data.iter().find(|e| e.key == "length").and_then(|e| e.value.parse::<usize>().ok());
    raw + listed + external.map_or(0, |bytes| bytes.min(crate::files::MAX_BYTES as usize) / 2)
}
