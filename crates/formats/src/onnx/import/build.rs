//! Node by node: which operator is read by what, and dense layers.

use super::Problem;
use super::attributes::Call;
use super::constant::{Constant, Data};
use super::network::Network;
use super::value::{Traced, Value};
use crate::onnx::proto::Node;
use maobi_nn::graph::Call as _;
use maobi_nn::layers::{Dense, Dropout};
use std::rc::Rc;

/// The operators that are read, for messages.
const OPERATORS: &[&str] = &[
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Clip",
    "Concat",
    "Constant",
    "Conv",
    "Div",
    "Dropout",
    "Elu",
    "Exp",
    "Flatten",
    "Gelu",
    "Gemm",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "HardSigmoid",
    "Identity",
    "LayerNormalization",
    "LeakyRelu",
    "LogSoftmax",
    "MatMul",
    "MaxPool",
    "Mul",
    "PRelu",
    "Pad",
    "ReduceMax",
    "ReduceMean",
    "Relu",
    "Reshape",
    "Resize",
    "Selu",
    "Shape",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "Squeeze",
    "Sub",
    "Sum",
    "Tanh",
    "Transpose",
    "Unsqueeze",
    "Upsample",
];

/// A bias that a later node adds: that node's number, the values, and what it makes.
pub(super) type Bias<'a> = (usize, Vec<f32>, &'a str);

impl<'a> Network<'a> {
    /// Reads all nodes, in the order of the file, which is topological.
    pub(super) fn nodes(&mut self) -> Result<(), Problem> {
        let graph = self.graph;
        // Constants first: a layer looks ahead for its bias and activation, and their numbers may stand behind it.
        for (index, node) in graph.node.iter().enumerate().filter(|(_, node)| node.op_type == "Constant" && is_plain(node)) {
            let call = Call { node };
            let constant = self.constant_node(call)?;
            self.set(call.output()?, Value::Constant(Rc::new(constant)));
            self.done.insert(index);
        }
        for (index, node) in graph.node.iter().enumerate() {
            if !self.done.contains(&index) {
                self.done.insert(index);
                self.node(Call { node })?;
            }
        }
        Ok(())
    }

    fn node(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let node = call.node;
        if !is_plain(node) {
            return Err(call.unsupported(format!("is of domain \"{}\"; only ONNX' own operators are read", node.domain)));
        }
        if let Some(constant) = self.fold(call)? {
            return self.set_constant(call, constant);
        }
        match node.op_type.as_str() {
            "Identity" | "Cast" => self.identity(call),
            "Dropout" => self.dropout(call),
            "Conv" => self.conv(call),
            "MaxPool" | "AveragePool" => self.pool(call),
            "GlobalAveragePool" | "GlobalMaxPool" | "ReduceMean" | "ReduceMax" => self.global_pool(call),
            "Pad" => self.pad(call),
            "Resize" | "Upsample" => self.resize(call),
            "Gemm" | "MatMul" => self.dense(call),
            "BatchNormalization" => self.batch_norm(call),
            "LayerNormalization" => self.layer_norm(call),
            "Softmax" | "LogSoftmax" => self.softmax(call),
            "Add" | "Sub" | "Mul" | "Div" | "Sum" => self.arithmetic(call),
            "Concat" => self.concat(call),
            "Flatten" => self.flatten(call),
            "Reshape" => self.reshape(call),
            "Squeeze" => self.squeeze(call),
            "Unsqueeze" => self.unsqueeze(call),
            "Transpose" => self.transpose(call),
            "Relu" | "LeakyRelu" | "PRelu" | "Elu" | "Selu" | "Sigmoid" | "HardSigmoid" | "Tanh" | "Softplus" | "Softsign"
            | "Exp" | "Clip" | "Gelu" => self.function(call),
            _ => Err(call.unsupported(format!("this operator has no layer here; those that are read: {}", OPERATORS.join(", ")))),
        }
    }

    fn constant_node(&self, call: Call<'_>) -> Result<Constant, Problem> {
        if let Some(tensor) = call.tensor("value") {
            return self.constant_of(tensor);
        }
        let scalar = |data: Data| Constant { shape: vec![], data };
        if call.has("value_float") {
            return Ok(scalar(Data::Floats(vec![call.float("value_float", 0.0)])));
        }
        if call.has("value_int") {
            return Ok(scalar(Data::Whole(vec![call.int("value_int", 0)])));
        }
        if let Some(values) = call.floats("value_floats") {
            return Ok(Constant { shape: vec![values.len()], data: Data::Floats(values.to_vec()) });
        }
        match call.ints("value_ints") {
            Some(values) => Ok(Constant::list(values.to_vec())),
            None => Err(call.unsupported("holds no numbers")),
        }
    }

    fn identity(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let x = self.traced(call, 0)?;
        // f32, f16, f64 and bf16 are all f32 here.
        if call.node.op_type == "Cast" && !matches!(call.int("to", 1), 1 | 10 | 11 | 16) {
            return Err(call.unsupported("turns the samples' values into whole numbers; networks compute in f32 here"));
        }
        self.set(call.output()?, Value::Traced(x));
        Ok(())
    }

    fn dropout(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let x = self.traced(call, 0)?;
        let rate = match self.constant_or_none(call, 1)? {
            Some(ratio) => ratio.scalar().unwrap_or(0.5),
            None => call.float("ratio", 0.5),
        };
        let made = if rate > 0.0 && rate < 1.0 {
            let mut layer = Dropout::new(super::attributes::short(rate));
            if let Some(name) = self.own_name(call) {
                layer = layer.name(name);
            }
            Traced { tensor: layer.call(&x.tensor)?, ..x }
        } else {
            x
        };
        self.set(call.output()?, Value::Traced(made));
        Ok(())
    }

    /// `Gemm`, or `MatMul` with the `Add` that follows it.
    fn dense(&mut self, call: Call<'a>) -> Result<(), Problem> {
        let gemm = call.node.op_type == "Gemm";
        let x = self.traced(call, 0)?;
        let kernel = self.constant(call, 1)?;
        let &[rows, columns] = kernel.shape.as_slice() else {
            return Err(call.unsupported(format!("input 1 has axes {:?}; a kernel of two axes is read", kernel.shape)));
        };
        if gemm && (call.int("transA", 0) != 0 || x.shape.len() != 1) {
            return Err(call.unsupported("attribute transA, or an input that is not [batch, values], is not read"));
        }
        let transposed = gemm && call.int("transB", 0) != 0;
        let (inputs, units) = if transposed { (columns, rows) } else { (rows, columns) };
        if x.shape.last() != Some(&inputs) {
            return Err(
                call.damaged(format!("a kernel for {inputs} inputs, but the input has axes {:?} behind the batch", x.shape))
            );
        }
        let mut values = kernel.floats();
        if transposed {
            values = crate::onnx::export::transpose(&values, &[rows, columns], &[1, 0]);
        }
        scale(&mut values, if gemm { call.float("alpha", 1.0) } else { 1.0 });
        let tensor = if x.shape.len() == 1 {
            if !x.order.is_same() {
                values = x.order.sorted(&values, units);
            }
            x.shaped(&[inputs]).map_err(|m| call.unsupported(m))?
        } else {
            x.plain().map_err(|m| call.unsupported(m))?
        };
        let mut output = call.output()?;
        let mut bias = if gemm { self.constant_or_none(call, 2)?.map(|bias| bias.floats()) } else { None };
        if let Some(bias) = &mut bias {
            scale(bias, call.float("beta", 1.0));
        } else if let Some((index, values, after)) = self.bias_after(call, output, |shape| shape.last() == Some(&units))? {
            self.done.insert(index);
            (bias, output) = (Some(values), after);
        }
        let bias = bias.map(|bias| if bias.len() == 1 { vec![bias[0]; units] } else { bias });
        let name = self.name(call, 1, "dense");
        let (activation, output) = self.activation_after(call, output, x.shape.len() - 1)?;
        let layer = Dense::new(units).use_bias(bias.is_some()).activation(activation.unwrap_or("linear")).name(&name);
        let made = layer.call(&tensor)?;
        let kernel = self.weight(call, values)?;
        self.keep(&name, [Some(kernel), bias].into_iter().flatten().collect());
        self.set(output, Value::Traced(Traced::own(made).positive(super::elementwise::is_positive(activation))));
        Ok(())
    }

    /// The bias that an Add behind this node adds. `fits` looks at the constant's axes.
    pub(super) fn bias_after(
        &self,
        call: Call<'a>,
        output: &str,
        fits: impl Fn(&[usize]) -> bool,
    ) -> Result<Option<Bias<'a>>, Problem> {
        let Some((index, next)) =
            self.only_consumer(output).filter(|(_, next)| next.node.op_type == "Add" && self.may_join(call, *next))
        else {
            return Ok(None);
        };
        let other = if next.input(0) == Some(output) { 1 } else { 0 };
        // A constant that is made by a later node is not known yet; such an Add stays a layer of its own.
        let Ok(Some(Value::Constant(constant))) = self.optional(next, other) else { return Ok(None) };
        let one_axis = constant.shape.iter().filter(|n| **n != 1).count() <= 1;
        let good = one_axis && constant.len() == constant.shape.iter().copied().max().unwrap_or(1) && fits(&constant.shape);
        Ok(if good { Some((index, constant.floats(), next.output()?)) } else { None })
    }

    /// Whether a node behind another may become a part of its layer. In our own files layers are what they were.
    pub(super) fn may_join(&self, call: Call<'_>, next: Call<'_>) -> bool {
        fn layer(call: Call<'_>) -> Option<&str> {
            call.node.name.rsplit_once('/').map(|(front, _)| front)
        }
        !self.own || layer(call) == layer(next)
    }
}

/// Whether a node is one of ONNX' own operators.
fn is_plain(node: &Node) -> bool {
    matches!(node.domain.as_str(), "" | "ai.onnx")
}

fn scale(values: &mut [f32], by: f32) {
    if by != 1.0 {
        values.iter_mut().for_each(|v| *v *= by);
    }
}
