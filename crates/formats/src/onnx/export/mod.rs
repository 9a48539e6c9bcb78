//! A model as an ONNX file: operator set 17, IR version 8, the batch axis free.
//!
//! Inputs keep Keras' order of axes. Images are turned to `[batch, channels, height, width]`, which ONNX' operators take, once on
//! entry; a dense layer that follows a Flatten has its rows sorted instead of turning them back.

mod graph;
mod steps;

use super::proto::{self, Dimension, Entry, Length, OperatorSet, Shape, TensorType, Type, ValueInfo};
use crate::inference::notes;
use crate::text;
use graph::Writer;
pub(super) use graph::transpose;
use maobi_nn::Model;
use maobi_nn::Program;
use prost::Message;

/// The operator set: the first one with LayerNormalization.
const OPSET: i64 = 17;
/// The IR version that came with it; read by ONNX Runtime 1.12 and later.
const IR_VERSION: i64 = 8;
/// Protocol buffers end here.
const MAX_MESSAGE: usize = i32::MAX as usize;

/// The bytes of a file, and what is not in it. The same model gives the same bytes.
pub(super) fn to_bytes(model: &Model, extras: &[(&str, &[u8])]) -> Result<(Vec<u8>, Vec<String>), String> {
    let program = Program::of(model);
    let graph = graph(&program)?;
    let entry = |key: String, value: String| Entry { key, value };
    let file = proto::Model {
        ir_version: Some(IR_VERSION),
        producer_name: proto::PRODUCER.into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        doc_string: describe(&program),
        graph: Some(graph),
        opset_import: vec![OperatorSet { domain: String::new(), version: Some(OPSET) }],
        metadata_props: extras
            .iter()
            .map(|(name, bytes)| entry(format!("{}{name}", text::EXTRA), text::from_bytes(bytes)))
            .collect(),
    };
    let length = file.encoded_len();
    if length > MAX_MESSAGE {
        return Err(format!("{length} bytes; an ONNX file without external data ends at {MAX_MESSAGE}"));
    }
    Ok((file.encode_to_vec(), notes(model)))
}

fn graph(program: &Program<'_>) -> Result<proto::Graph, String> {
    let mut writer = Writer::new(program);
    for (name, value) in &program.inputs {
        writer.input(name, *value);
    }
    for step in &program.steps {
        writer.step(step)?;
    }
    let outputs = program.outputs.iter().map(|(name, value)| (name.clone(), writer.in_order(*value))).collect();
    let (node, initializer) = writer.finish(outputs);
    let values = |values: &[(String, usize)]| values.iter().map(|(name, value)| info(name, &program.shapes[*value])).collect();
    Ok(proto::Graph {
        node,
        name: program.name.into(),
        initializer,
        doc_string: String::new(),
        input: values(&program.inputs),
        output: values(&program.outputs),
    })
}

/// `[batch, …]` of f32.
fn info(name: &str, shape: &[usize]) -> ValueInfo {
    let batch = Dimension { value: Some(Length::Name("batch".into())) };
    let axes = shape.iter().map(|&n| Dimension { value: Some(Length::Value(n as i64)) });
    let shape = Shape { dim: [batch].into_iter().chain(axes).collect() };
    let tensor = TensorType { elem_type: Some(proto::FLOAT), shape: Some(shape) };
    ValueInfo { name: name.into(), r#type: Some(Type { tensor_type: Some(tensor) }), doc_string: String::new() }
}

/// What goes in and what comes out, for who opens the file.
fn describe(program: &Program<'_>) -> String {
    let list = |values: &[(String, usize)]| {
        let all = values.iter().map(|(name, value)| {
            let axes: Vec<String> = program.shapes[*value].iter().map(usize::to_string).collect();
            format!("{name} [batch, {}]", axes.join(", "))
        });
        all.collect::<Vec<_>>().join(", ")
    };
    format!("{}: takes {}; gives {}; f32, channels last", program.name, list(&program.inputs), list(&program.outputs))
}
