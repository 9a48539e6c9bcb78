//! Symbolic calls: layers applied to tensors, which make a graph.

use super::order::{PlainCall, keras_order};
use super::{Graph, GraphLayer, Kind, Names, Node, build, output_shape};
use crate::error::{Error, Result};
use crate::layers::{InputLayer, Layer, Shape};
use crate::precision::Precision;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The output of a layer call, as Keras' `KerasTensor`: a shape and where it comes from.
///
/// ```
/// use maobi_nn::graph::{Call, Tensor};
/// use maobi_nn::layers::{Conv2D, Dense, Flatten, InputLayer};
/// use maobi_nn::Model;
///
/// let image = InputLayer::new([28, 28, 1]).name("image").input();
/// let x = Conv2D::new(4, 3).activation("relu").call(&image)?;
/// let x = Flatten::new().call(&x)?;
/// let digit = Dense::new(10).activation("softmax").name("digit").call(&x)?;
/// let even = Dense::new(1).activation("sigmoid").name("even").call(&x)?;
/// let model = Model::new("two_heads", &[&image], &[&digit, &even], 1)?;
/// assert_eq!(model.output_shapes(), vec![vec![10], vec![1]]);
/// # Ok::<(), maobi_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tensor {
    call: Arc<CallSite>,
}

#[derive(Debug)]
struct CallSite {
    layer: Arc<dyn Layer>,
    inputs: Vec<Tensor>,
    shape: Shape,
    /// Order of creation, in which Keras names and numbers layers.
    serial: u64,
}

static SERIAL: AtomicU64 = AtomicU64::new(0);

impl Tensor {
    /// Axis lengths without the batch.
    pub fn shape(&self) -> &[usize] {
        &self.call.shape
    }

    fn id(&self) -> *const CallSite {
        Arc::as_ptr(&self.call)
    }
}

/// Applies a shared layer to tensors: calling the same `Arc` again shares its weights.
///
/// # Errors
/// When the layer's arguments or the input shapes do not fit.
pub fn apply(layer: &Arc<dyn Layer>, inputs: &[&Tensor]) -> Result<Tensor> {
    let shapes: Vec<Shape> = inputs.iter().map(|t| t.shape().to_vec()).collect();
    let name = layer.base().name.as_deref().unwrap_or("unnamed");
    let built = build(&**layer, name, &shapes)?;
    let shape = output_shape(&**layer, &built, &shapes);
    let inputs = inputs.iter().map(|&t| t.clone()).collect();
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    Ok(Tensor { call: Arc::new(CallSite { layer: Arc::clone(layer), inputs, shape, serial }) })
}

/// Calling layers on tensors.
pub trait Call: Layer + Sized {
    /// Applies the layer to one tensor.
    ///
    /// # Errors
    /// When the layer's arguments or the input's shape do not fit.
    fn call(self, input: &Tensor) -> Result<Tensor> {
        apply(&self.shared(), &[input])
    }

    /// Applies a merging layer (Add, Concatenate, …) to several tensors.
    ///
    /// # Errors
    /// When the layer's arguments or the input shapes do not fit.
    fn merge(self, inputs: &[&Tensor]) -> Result<Tensor> {
        apply(&self.shared(), inputs)
    }

    /// The layer for several calls that share its weights; see [`apply`].
    fn shared(self) -> Arc<dyn Layer> {
        Arc::new(self)
    }
}

impl<L: Layer + Sized> Call for L {}

impl InputLayer {
    /// The tensor that enters a model here.
    pub fn input(self) -> Tensor {
        let shape = self.shape().to_vec();
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        Tensor { call: Arc::new(CallSite { layer: Arc::new(self), inputs: Vec::new(), shape, serial }) }
    }
}

impl Graph {
    /// The graph between `inputs` and `outputs`.
    ///
    /// # Errors
    /// Outputs that depend on an input which is not listed, an input that is no InputLayer, two layers of one name.
    pub fn between(name: impl Into<String>, inputs: &[&Tensor], outputs: &[&Tensor]) -> Result<Graph> {
        graph_between(name.into(), inputs, outputs)
    }
}

/// The calls in Keras' order: by distance from the outputs, then as a walk from the outputs meets them. `order` is topological.
fn by_depth(order: Vec<Tensor>, outputs: &[&Tensor]) -> Vec<Tensor> {
    let position: HashMap<*const CallSite, usize> = order.iter().enumerate().map(|(i, t)| (t.id(), i)).collect();
    let mut layer_ids: HashMap<*const (), usize> = HashMap::new();
    let calls: Vec<PlainCall> = order
        .iter()
        .map(|t| {
            let next = layer_ids.len();
            let layer = *layer_ids.entry(Arc::as_ptr(&t.call.layer).cast()).or_insert(next);
            PlainCall { layer, inputs: t.call.inputs.iter().map(|i| position[&i.id()]).collect() }
        })
        .collect();
    let outputs: Vec<usize> = outputs.iter().map(|t| position[&t.id()]).collect();
    keras_order(&calls, &outputs).into_iter().map(|i| order[i].clone()).collect()
}

/// The graph between `inputs` and `outputs`.
fn graph_between(name: String, inputs: &[&Tensor], outputs: &[&Tensor]) -> Result<Graph> {
    if inputs.is_empty() || outputs.is_empty() {
        return Err(Error::graph(name, "a model needs at least one input and one output"));
    }
    for input in inputs {
        if !input.call.layer.is_input() {
            return Err(Error::graph(name, "every input of a model must come from InputLayer::input"));
        }
    }
    let mut order: Vec<Tensor> = Vec::new();
    let mut seen: HashMap<*const CallSite, ()> = HashMap::new();
    let mut stack: Vec<Tensor> = inputs.iter().chain(outputs).map(|&t| t.clone()).collect();
    while let Some(tensor) = stack.pop() {
        if seen.insert(tensor.id(), ()).is_none() {
            stack.extend(tensor.call.inputs.iter().cloned());
            order.push(tensor);
        }
    }
    // A tensor is made after what it takes, so creation order is topological.
    order.sort_by_key(|t| t.call.serial);
    let mut names = Names::default();
    let mut given: HashMap<*const (), ()> = HashMap::new();
    for tensor in &order {
        let layer = &tensor.call.layer;
        if given.insert(Arc::as_ptr(layer).cast(), ()).is_none()
            && let Some(name_given) = &layer.base().name
        {
            names.take(&name, name_given)?;
        }
    }
    // Names are given in the order of creation, layers and weights then come in Keras' order.
    let mut name_of: HashMap<*const (), String> = HashMap::new();
    for tensor in &order {
        let layer = &tensor.call.layer;
        if layer.is_input() && !inputs.iter().any(|i| i.id() == tensor.id()) {
            let which = layer.base().name.clone().unwrap_or_else(|| "unnamed".into());
            return Err(Error::graph(
                name,
                format!("an output depends on the InputLayer \"{which}\", which is not among the inputs"),
            ));
        }
        name_of
            .entry(Arc::as_ptr(layer).cast())
            .or_insert_with(|| layer.base().name.clone().unwrap_or_else(|| names.make(layer.default_name())));
    }
    let order = by_depth(order, outputs);
    let mut layer_of: HashMap<*const (), usize> = HashMap::new();
    let mut layers: Vec<GraphLayer> = Vec::new();
    let mut calls: Vec<usize> = Vec::new();
    let mut node_of: HashMap<*const CallSite, usize> = HashMap::new();
    let mut nodes = Vec::with_capacity(order.len());
    for tensor in &order {
        let layer = &tensor.call.layer;
        let index = *layer_of.entry(Arc::as_ptr(layer).cast()).or_insert_with(|| {
            let layer_name = name_of[&Arc::as_ptr(layer).cast()].clone();
            layers.push(GraphLayer { layer: Arc::clone(layer), name: layer_name });
            calls.push(0);
            layers.len() - 1
        });
        let node_inputs = tensor.call.inputs.iter().map(|t| node_of[&t.id()]).collect();
        node_of.insert(tensor.id(), nodes.len());
        nodes.push(Node { layer: index, inputs: node_inputs, call: calls[index], shape: tensor.call.shape.clone() });
        calls[index] += 1;
    }
    let inputs = inputs.iter().map(|t| node_of[&t.id()]).collect();
    let outputs = outputs.iter().map(|t| node_of[&t.id()]).collect();
    Ok(Graph { name, kind: Kind::Functional, layers, nodes, inputs, outputs, precision: Precision::default() })
}
