//! A model as Keras' JSON and back (`model.to_json`, `model_from_json`).

use super::Model;
use crate::error::{Error, Result};
use crate::graph::{Graph, GraphLayer, Kind, Node, Sequential, Submodel, Tensor, apply};
use crate::layers::registry::{UnknownKeys, from_config};
use crate::layers::{InputLayer, LAYERS, Layer};
use crate::object::{Declared, Fields};
use crate::precision::Precision;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Most layers a configuration may describe.
const MAX_LAYERS: usize = 10_000;

/// Keras' classes of models; Keras 2 called functional ones `Model`.
const MODELS: [&str; 3] = ["Sequential", "Functional", "Model"];

impl Graph {
    /// Keras 3's JSON of the architecture, without keys that old releases refuse.
    pub fn to_config(&self) -> Value {
        let layers: Vec<Value> = (0..self.layers.len()).map(|i| self.layer_config(i)).collect();
        match self.kind {
            Kind::Sequential => json!({
                "module": "keras",
                "class_name": "Sequential",
                "config": {
                    "name": self.name,
                    "trainable": true,
                    "dtype": self.precision.to_value(),
                    "layers": layers,
                    "build_input_shape": batch_shape(&self.nodes[self.inputs[0]].shape),
                },
                "registered_name": null,
                "build_config": { "input_shape": batch_shape(&self.nodes[self.inputs[0]].shape) },
            }),
            Kind::Functional => json!({
                "module": "keras.src.models.functional",
                "class_name": "Functional",
                "config": {
                    "name": self.name,
                    "trainable": true,
                    "layers": layers,
                    "input_layers": self.references(&self.inputs),
                    "output_layers": self.references(&self.outputs),
                },
                "registered_name": "Functional",
                "build_config": { "input_shape": null },
            }),
        }
    }

    fn layer_config(&self, index: usize) -> Value {
        let GraphLayer { layer, name } = &self.layers[index];
        let submodel = Submodel::from_layer(&**layer);
        let mut object = submodel.map_or_else(|| self.plain_config(index), |model| model.to_config(self.precision));
        let nodes = || self.nodes.iter().filter(|n| n.layer == index);
        if let Some(first) = nodes().next()
            && !first.inputs.is_empty()
        {
            let shapes: Vec<Value> = first.inputs.iter().map(|&n| batch_shape(&self.nodes[n].shape)).collect();
            let shape = if shapes.len() == 1 { shapes[0].clone() } else { Value::Array(shapes) };
            object["build_config"] = json!({ "input_shape": shape });
        }
        if self.kind == Kind::Functional {
            object["name"] = json!(name);
            object["inbound_nodes"] = nodes()
                .filter(|n| !n.inputs.is_empty())
                .map(|node| {
                    let tensors: Vec<Value> = node.inputs.iter().map(|&n| self.keras_tensor(n)).collect();
                    let list = layer.takes_list();
                    let args = if list { json!([tensors]) } else { json!(tensors) };
                    json!({ "args": args, "kwargs": {} })
                })
                .collect();
        }
        object
    }

    /// A layer that is no model: class and arguments.
    fn plain_config(&self, index: usize) -> Value {
        let GraphLayer { layer, name } = &self.layers[index];
        let mut config = Map::new();
        config.insert("name".into(), json!(name));
        if layer.writes_trainable() {
            config.insert("trainable".into(), json!(layer.base().trainable));
        }
        config.insert("dtype".into(), if layer.is_input() { json!("float32") } else { self.precision_of(index).to_value() });
        config.extend(layer.config());
        LAYERS.write(&**layer, config)
    }

    fn keras_tensor(&self, node: usize) -> Value {
        let n = &self.nodes[node];
        let enters = n.inputs.is_empty();
        let dtype = if enters { Precision::Float32 } else { self.precision_of(n.layer) }.compute_dtype();
        json!({
            "class_name": "__keras_tensor__",
            "config": { "shape": batch_shape(&n.shape), "dtype": dtype, "keras_history": [self.layers[n.layer].name, n.call, 0] },
        })
    }

    /// References to outputs, a list of them also where there is one: Keras 3.0 and Keras 2 do not know a single one by itself.
    fn references(&self, nodes: &[usize]) -> Value {
        let first = |node: &Node| Submodel::from_layer(&*self.layers[node.layer].layer).map_or(0, Submodel::first_output);
        let reference = |node: &Node| json!([self.layers[node.layer].name, first(node) + node.call, 0]);
        nodes.iter().map(|&n| reference(&self.nodes[n])).collect()
    }
}

fn batch_shape(shape: &[usize]) -> Value {
    let mut axes = vec![Value::Null];
    axes.extend(shape.iter().map(|&n| json!(n)));
    Value::Array(axes)
}

impl Model {
    /// Keras' `model.to_json()`.
    pub fn to_json(&self) -> String {
        self.to_config().to_string()
    }

    /// Keras 3's JSON of the architecture, as a value.
    pub fn to_config(&self) -> Value {
        self.outline().to_config()
    }

    /// Makes a model with initial weights drawn from `seed` from Keras' JSON: Keras 3, and Keras 2 (`tf_keras`).
    ///
    /// # Errors
    /// Which layer or key is not understood, and what was expected.
    pub fn from_json(json: &str, seed: u64) -> Result<Model> {
        let value = serde_json::from_str(json).map_err(|e| Error::Config(format!("the model's JSON cannot be read: {e}")))?;
        Model::from_config(&value, seed)
    }

    /// As [`Model::from_json`], from a parsed value.
    ///
    /// # Errors
    /// As [`Model::from_json`].
    pub fn from_config(value: &Value, seed: u64) -> Result<Model> {
        Model::from_graph(graph_from_config(value)?, seed)
    }

    /// The same network with the same weights, and nothing of what [`Model::compile`] gives: to be saved, or to learn anew.
    ///
    /// # Errors
    /// None that a model which could be built knows; building is done anew.
    pub fn bare(&self) -> Result<Model> {
        let mut bare = Model::from_json(&self.to_json(), self.seed)?;
        for (own, weight) in bare.weights.iter_mut().zip(&self.weights) {
            own.set_values(&weight.values());
        }
        Ok(bare)
    }
}

/// Reads the architecture.
pub(crate) fn graph_from_config(value: &Value) -> Result<Graph> {
    let class = value.get("class_name").and_then(Value::as_str).unwrap_or_default();
    let config = value.get("config").unwrap_or(&Value::Null);
    let precision = policy(config);
    let mut graph = match class {
        _ if !MODELS.contains(&class) => {
            return Err(Error::Config(format!("class_name: expected Sequential or Functional, got \"{class}\"")));
        }
        "Sequential" => sequential(config, precision)?,
        _ => functional(config, precision)?,
    };
    graph.precision = precision;
    Ok(graph)
}

/// The model's dtype policy. Functional models do not tell: that of the first layer that computes.
fn policy(config: &Value) -> Precision {
    let layers = config.get("layers").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let first = layers.iter().find(|entry| entry.get("class_name").is_some_and(|class| class != InputLayer::CLASS));
    let dtype = config.get("dtype").filter(|v| !v.is_null()).or_else(|| first?.get("config")?.get("dtype"));
    dtype.and_then(|dtype| Precision::from_value(dtype).ok()).unwrap_or_default()
}

fn layer_list(config: &Value) -> Result<&Vec<Value>> {
    let layers = config
        .get("layers")
        .and_then(Value::as_array)
        .ok_or_else(|| Error::Config("the model's config has no list of layers".into()))?;
    if layers.len() > MAX_LAYERS {
        return Err(Error::Config(format!("{} layers: more than {MAX_LAYERS} are not read", layers.len())));
    }
    Ok(layers)
}

fn model_name(config: &Value, default: &str) -> String {
    config.get("name").and_then(Value::as_str).unwrap_or(default).to_string()
}

/// A layer; a policy that is the model's is not its own.
fn layer(entry: &Value, model: Precision) -> Result<Box<dyn Layer>> {
    let class =
        entry.get("class_name").and_then(Value::as_str).ok_or_else(|| Error::Config("a layer without class_name".into()))?;
    if MODELS.contains(&class) {
        return Ok(Box::new(submodel(entry, model)?));
    }
    let empty = Map::new();
    let config = entry.get("config").and_then(Value::as_object).unwrap_or(&empty);
    let mut layer = from_config(class, config, UnknownKeys::Ignore)?;
    let base = layer.base_mut();
    // Without a policy that is known here, a layer of a file computes in f32.
    base.precision = Some(base.precision.unwrap_or_default()).filter(|own| *own != model);
    Ok(layer)
}

/// A model as a layer of one with another policy.
fn submodel(entry: &Value, outer: Precision) -> Result<Submodel> {
    let mut graph = graph_from_config(entry)?;
    if graph.precision == outer {
        graph.precision = Precision::default();
    }
    let model = Submodel::new(graph);
    let frozen = entry.pointer("/config/trainable").is_some_and(|trainable| *trainable == json!(false));
    Ok(if frozen { model.trainable(false) } else { model })
}

fn sequential(config: &Value, precision: Precision) -> Result<Graph> {
    let entries = layer_list(config)?;
    let mut chain = Sequential::new().name(model_name(config, "sequential"));
    for (i, entry) in entries.iter().enumerate() {
        let layer = layer(entry, precision)?;
        if let Some(inner) = Submodel::from_layer(&*layer).filter(|_| i == 0) {
            let [shape] = inner.input_shapes()[..] else {
                return Err(Error::Config("the first layer of a Sequential model is a model with several inputs".into()));
            };
            chain = chain.add(InputLayer::new(shape.clone()));
        } else if i == 0 && !layer.is_input() {
            // Keras 2 keeps the input shape on the first layer, Keras 3 may keep it on the model.
            let own = entry
                .get("config")
                .and_then(Value::as_object)
                .filter(|c| c.get("batch_input_shape").is_some_and(|v| !v.is_null()));
            let built = config.get("build_input_shape").map(|s| Map::from_iter([("batch_shape".to_string(), s.clone())]));
            let source = own.cloned().or(built).unwrap_or_default();
            let input = InputLayer::read(&mut Fields::new(InputLayer::CLASS, source))
                .map_err(|e| Error::Config(format!("the model has no InputLayer and no input shape is given: {e}")))?;
            chain = chain.add(input);
        }
        chain = chain.add_boxed(layer);
    }
    chain.graph()
}

/// A layer whose calls are being replayed: its name, the inputs of each call, and how many are done.
type Pending = (Arc<dyn Layer>, String, Vec<Vec<Reference>>, usize);

/// One tensor of a call: layer name, call number.
type Reference = (String, usize);

fn functional(config: &Value, precision: Precision) -> Result<Graph> {
    let entries = layer_list(config)?;
    let name = model_name(config, "functional");
    let mut tensors: HashMap<Reference, Tensor> = HashMap::new();
    let mut pending: Vec<Pending> = Vec::new();
    for entry in entries {
        let mut layer = layer(entry, precision)?;
        let layer_name = entry.get("name").and_then(Value::as_str).map(str::to_string).or_else(|| layer.base().name.clone());
        let layer_name = layer_name
            .ok_or_else(|| Error::Config(format!("a {} layer of a functional model has no name", layer.class_name())))?;
        layer.base_mut().name = Some(layer_name.clone());
        if let Some(input) = layer.as_any().downcast_ref::<InputLayer>() {
            tensors.insert((layer_name, 0), input.clone().input());
            continue;
        }
        let calls = entry.get("inbound_nodes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let calls = calls.iter().map(call_inputs).collect::<Option<Vec<_>>>();
        let calls = calls.ok_or_else(|| Error::Config(format!("layer \"{layer_name}\": inbound_nodes cannot be read")))?;
        pending.push((Arc::from(layer), layer_name, calls, 0));
    }
    let ends: Vec<Reference> = config.get("output_layers").and_then(references).unwrap_or_default();
    // Where the calls of submodels begin: as inputs of other layers, and as outputs.
    let mut firsts: HashMap<String, (usize, usize)> = HashMap::new();
    for (layer, layer_name, calls, _) in &pending {
        if let Some(model) = Submodel::from_layer(&**layer) {
            let numbers = |list: &mut dyn Iterator<Item = &Reference>| -> Vec<usize> {
                list.filter(|(name, _)| name == layer_name).map(|(_, number)| *number).collect()
            };
            let taken = numbers(&mut pending.iter().flat_map(|(_, _, calls, _)| calls.iter().flatten()));
            let ended = numbers(&mut ends.iter());
            let beyond = |list: &[usize]| usize::from(list.iter().max() >= Some(&calls.len()));
            // Keras 2 counts its construction as a call, Keras 3 only of a functional model and only where it is an output.
            firsts.insert(layer_name.clone(), (beyond(&taken), model.first_output().max(beyond(&ended))));
        }
    }
    let first = |name: &str| firsts.get(name).copied().unwrap_or_default();
    // Layers usually come in topological order; shared ones may need a second look.
    loop {
        let mut progress = false;
        for (layer, layer_name, calls, done) in &mut pending {
            while let Some(inputs) = calls.get(*done) {
                let found: Option<Vec<&Tensor>> = inputs.iter().map(|r| tensors.get(r)).collect();
                let Some(found) = found else { break };
                let output = apply(layer, &found)?;
                tensors.insert((layer_name.clone(), first(layer_name).0 + *done), output);
                *done += 1;
                progress = true;
            }
        }
        if pending.iter().all(|(_, _, calls, done)| *done == calls.len()) {
            break;
        }
        if !progress {
            let stuck = pending.iter().find(|(_, _, calls, done)| *done < calls.len()).map_or("", |(_, n, _, _)| n);
            return Err(Error::graph(
                name,
                format!("layer \"{stuck}\" takes the output of a layer that is not in the model, or of itself"),
            ));
        }
    }
    let find = |key: &str| -> Result<Vec<Tensor>> {
        let stored = |(name, number): &Reference| {
            let (input, output) = first(name);
            Some((name.clone(), number.checked_sub(output)? + input))
        };
        let list = config.get(key).and_then(references).ok_or_else(|| Error::Config(format!("{key} cannot be read")))?;
        list.iter()
            .map(|r| {
                stored(r)
                    .and_then(|r| tensors.get(&r).cloned())
                    .ok_or_else(|| Error::Config(format!("{key} names \"{}\", which is not in the model", r.0)))
            })
            .collect()
    };
    let (inputs, outputs) = (find("input_layers")?, find("output_layers")?);
    Graph::between(name, &inputs.iter().collect::<Vec<_>>(), &outputs.iter().collect::<Vec<_>>())
}

/// The tensors of one call, in Keras 3's form or Keras 2's.
fn call_inputs(node: &Value) -> Option<Vec<Reference>> {
    match node {
        Value::Object(map) => {
            let mut found = Vec::new();
            collect(map.get("args")?, &mut found, 0)?;
            Some(found)
        }
        Value::Array(list) => list.iter().map(reference).collect(),
        _ => None,
    }
}

/// Finds `__keras_tensor__` objects in nested argument lists.
fn collect(value: &Value, found: &mut Vec<Reference>, depth: usize) -> Option<()> {
    if depth > 4 {
        return None;
    }
    match value {
        Value::Array(list) => list.iter().try_for_each(|v| collect(v, found, depth + 1)),
        Value::Object(map) if map.get("class_name").and_then(Value::as_str) == Some("__keras_tensor__") => {
            found.push(reference(map.get("config")?.get("keras_history")?)?);
            Some(())
        }
        _ => Some(()),
    }
}

/// `["conv2d", 0, 0]`, with or without keyword arguments behind.
fn reference(value: &Value) -> Option<Reference> {
    let list = value.as_array()?;
    Some((list.first()?.as_str()?.to_string(), usize::try_from(list.get(1)?.as_u64()?).ok()?))
}

/// One reference or a list of them.
fn references(value: &Value) -> Option<Vec<Reference>> {
    match value.as_array()?.first()? {
        Value::String(_) => Some(vec![reference(value)?]),
        _ => value.as_array()?.iter().map(reference).collect(),
    }
}
