//! Object-based checkpoints, as `save_weights("cp-{epoch:04d}.ckpt")` of tf.keras 2 leaves them.
//!
//! `PREFIX.index`, `PREFIX.data-00000-of-00001` and the file `checkpoint` of the folder. A variable is found by the names that lead
//! to it, `layer_with_weights-0` → `kernel`; layers are numbered, not named (tf_keras/src/engine/functional.py,
//! `_layer_checkpoint_dependencies`). Optimizers are written as tf_keras 2.11 and later has them, and read in the form of before too.

use super::bundle::{Bundle, Index, Writer};
use super::objects::{Builder, GRAPH, Objects};
use super::state;
use crate::contract::{Format, Loaded, NO_NETWORK, without_place};
use crate::error::{Error, Result};
use crate::weights::named::{Found, Wanted, collect};
use crate::weights::{OptimizerValues, Refusal, Values, apply};
use maobi_nn::Model;
use maobi_nn::graph::Part;
use maobi_nn::optimizers::{Optimizer, OptimizerState, SGD};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The format `tf-checkpoint`.
pub(crate) struct TfCheckpoint;

impl Format for TfCheckpoint {
    fn name(&self) -> &'static str {
        "tf-checkpoint"
    }

    fn about(&self) -> &'static str {
        "weights and optimizer as tf.keras' save_weights(\"cp.ckpt\") writes them: TensorFlow 2, tf_keras"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &[".ckpt"]
    }

    fn recognises(&self, path: &Path, _head: &[u8]) -> bool {
        is_object_based(path) == Some(true)
    }

    fn load(&self, path: &Path, _seed: u64) -> Result<Loaded> {
        Err(Error::no_network(path))
    }

    fn load_weights(&self, model: &mut Model, path: &Path) -> Result<Vec<String>> {
        load_into(model, path)
    }

    fn keeps_slots(&self) -> bool {
        true
    }

    fn save(&self, model: &Model, path: &Path, extras: &[(&str, &[u8])]) -> Result<Vec<String>> {
        let notes = save(model, path)?;
        Ok(left_out(notes, extras))
    }
}

/// Notes on what has no place in a checkpoint, before those of one format.
pub(super) fn left_out(notes: Vec<String>, extras: &[(&str, &[u8])]) -> Vec<String> {
    [NO_NETWORK.to_string()].into_iter().chain(notes).chain(without_place(extras, "a TensorFlow checkpoint")).collect()
}

/// Whether a checkpoint holds a graph of objects, rather than names alone; `None` when it is no checkpoint that can be read.
pub(super) fn is_object_based(path: &Path) -> Option<bool> {
    let prefix = state::prefix(path).ok().flatten()?;
    Index::open(&prefix).ok().map(|index| index.has(GRAPH))
}

/// The prefix to read that a path means.
pub(super) fn locate(path: &Path) -> Result<PathBuf> {
    state::prefix(path)?.ok_or_else(|| {
        let what = if path.is_dir() {
            "its file \"checkpoint\" is not there, or names none that is there".to_string()
        } else {
            format!("there is no {}.index", path.display())
        };
        Error::unsupported(path, format!("no TensorFlow checkpoint: {what}"))
    })
}

/// The prefix to write that a path means: one of its files' names stands for all.
pub(super) fn target(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.strip_suffix(".index").unwrap_or(&name);
    if stem.is_empty() || stem == "checkpoint" {
        return Err(Error::write(path, "expected a name such as cp-0005.ckpt; \"checkpoint\" is the list of a folder"));
    }
    Ok(path.with_file_name(stem))
}

/// Writes the weights, and the optimizer's variables when the model is compiled; notes the checkpoint as its folder's latest. Returns
/// what could not be carried over, in words.
///
/// # Errors
/// [`Error::Io`] when the files cannot be written, [`Error::Write`] when they cannot hold the model.
pub fn save(model: &Model, path: &Path) -> Result<Vec<String>> {
    let prefix = target(path)?;
    let (writer, notes) = write(model).map_err(|message| Error::write(path, message))?;
    writer.write(&prefix)?;
    state::add(&prefix)?;
    Ok(notes)
}

fn write(model: &Model) -> Result<(Writer, Vec<String>), String> {
    let (mut writer, mut objects) = (Writer::default(), Builder::new());
    // Full names of the trainable weights, for their slots.
    let mut trainable = Vec::new();
    write_layers(&mut writer, &mut objects, model, (0, "", model.parts()), &mut trainable)?;
    let mut notes = Vec::new();
    let state = model.optimizer_state_ref().filter(|state| state.has_slots());
    if let (Some(how), Some(state)) = (model.compiled(), state) {
        if state.loss_scale.is_some() {
            notes.push("the factor of the loss: tf_keras keeps it elsewhere in its checkpoints".into());
        }
        optimizer(&mut writer, &mut objects, how.optimizer.class_name(), state, &trainable)?;
        if is_plain_sgd(&how.optimizer) {
            no_momentum(&mut writer, &mut objects, model, &trainable)?;
        }
    }
    writer.string(GRAPH, &objects.finish())?;
    Ok((writer, notes))
}

fn optimizer(
    writer: &mut Writer,
    objects: &mut Builder,
    class: &str,
    state: &OptimizerState,
    trainable: &[String],
) -> Result<(), String> {
    let node = objects.child(0, "optimizer");
    let list = objects.child(node, "_variables");
    let (iterations, key) = objects.variable(node, "_iterations", "optimizer/_iterations", "iteration");
    objects.link(list, "0", iterations);
    writer.integer(&key, state.iterations)?;
    // Under a schedule the rate is no variable to restore, only one to look at.
    let rate = if state.has_learning_rate_variable() { "learning_rate" } else { "current_learning_rate" };
    let (_, key) = objects.variable(node, &format!("_{rate}"), &format!("optimizer/_{rate}"), rate);
    writer.floats(&key, &[], &[state.learning_rate])?;
    let mut number = 0;
    for variable in state.variables() {
        let Some(weight) = variable.weight else {
            // Nadam's product is no member of the list.
            let (_, key) = objects.variable(node, "_u_product", "optimizer/_u_product", &format!("{class}/Variable"));
            writer.floats(&key, &variable.shape, &variable.values)?;
            continue;
        };
        number += 1;
        let name = trainable.get(weight).map_or("", String::as_str);
        let full = format!("{class}/{}/{name}", short(class, variable.slot));
        let (_, key) = objects.variable(list, &number.to_string(), &format!("optimizer/_variables/{number}"), &full);
        writer.floats(&key, &variable.shape, &variable.values)?;
    }
    Ok(())
}

/// Gradient descent without momentum, for which tf_keras keeps momenta nevertheless: zeros.
fn is_plain_sgd(optimizer: &Optimizer) -> bool {
    optimizer.get::<SGD>().is_some_and(|sgd| sgd.momentum == 0.0)
}

fn no_momentum(writer: &mut Writer, objects: &mut Builder, model: &Model, names: &[String]) -> Result<(), String> {
    let Some(list) = objects.find_child(&["optimizer", "_variables"]) else { return Ok(()) };
    // Behind the iteration and the moving averages, where there are any.
    let first = 1 + model.optimizer_state_ref().map_or(0, |state| state.variables().len());
    for (number, (weight, name)) in model.weights().iter().filter(|w| w.trainable).zip(names).enumerate() {
        let number = first + number;
        let path = format!("optimizer/_variables/{number}");
        let (_, key) = objects.variable(list, &number.to_string(), &path, &format!("SGD/m/{name}"));
        writer.floats(&key, &weight.shape, &vec![0.0; weight.len()])?;
    }
    Ok(())
}

/// tf_keras' name of a slot, which nothing but people read.
fn short<'a>(class: &str, slot: &'a str) -> &'a str {
    match (class, slot) {
        ("RMSprop", _) => slot,
        (_, "momentum") => "m",
        (_, "velocity") => "v",
        (_, "velocity_hat") => "vhat",
        (_, "norm") => "u",
        _ => slot,
    }
}

/// Reads the weights of a checkpoint into a model of the same network, and the optimizer's variables where the model is compiled and
/// they fit. Returns what was left aside, in words.
///
/// `path` is the prefix of the files, one of them, or a folder, whose latest is taken ([`state::latest`]).
///
/// # Errors
/// [`Error::Io`], [`Error::Damaged`]; [`Error::Unsupported`] for what is no object-based checkpoint of a Keras model;
/// [`Error::Misfit`] lists all differences. Nothing is changed on failure.
pub fn load_into(model: &mut Model, path: &Path) -> Result<Vec<String>> {
    let prefix = locate(path)?;
    let bundle = Bundle::open(&prefix)?;
    load_bundle(model, &prefix, &bundle)
}

/// As [`load_into`], from the bytes of the index and the files of values; `path` is the name that errors use.
///
/// # Errors
/// As [`load_into`].
pub fn load_bytes(model: &mut Model, path: &Path, index: &[u8], shards: Vec<Vec<u8>>) -> Result<Vec<String>> {
    let bundle = Bundle::from_bytes(index, shards).map_err(|message| Error::damaged(path, message))?;
    load_bundle(model, path, &bundle)
}

fn load_bundle(model: &mut Model, path: &Path, bundle: &Bundle) -> Result<Vec<String>> {
    let damaged = |message: String| Error::damaged(path, message);
    if !bundle.has(GRAPH) {
        return Err(Error::unsupported(path, "is a name-based checkpoint (of TensorFlow 1), no object-based one"));
    }
    let objects = bundle.string(GRAPH).and_then(Objects::parse).map_err(damaged)?;
    // The model itself, or below what tf.train.Checkpoint(model=…) makes of it.
    let root = objects.find(|node| objects.child(node, "layer_with_weights-0").is_some()).ok_or_else(|| {
        Error::unsupported(path, "holds no Keras model in the form of tf.keras 2; save it with Keras as .keras or .weights.h5")
    })?;
    let (weights, variables) = weights(model, bundle, &objects, root).map_err(|refusal| refusal.at(path))?;
    let mut notes = Vec::new();
    let node = objects.child(root, "optimizer").or_else(|| objects.child(0, "optimizer"));
    let optimizer = match (node, model.optimizer_state_ref()) {
        (Some(node), Some(state)) => match read_optimizer(bundle, &objects, node, model, state, &variables) {
            Ok(values) => Some(values),
            Err(why) => {
                notes.push(format!("optimizer state not restored: {why}"));
                None
            }
        },
        (None, Some(_)) => {
            notes.push("the file has no optimizer state".into());
            None
        }
        (_, None) => None,
    };
    apply(&Values::new(weights, optimizer), model).map_err(damaged)?;
    Ok(notes)
}

/// Writes the parts of a model or a submodel, whose node and path are given.
fn write_layers(
    writer: &mut Writer,
    objects: &mut Builder,
    model: &Model,
    (parent, path, parts): (i32, &str, &[Part]),
    trainable: &mut Vec<String>,
) -> Result<(), String> {
    let graph = model.graph();
    let mut with_weights = 0;
    for (number, part) in parts.iter().filter(|part| !is_entry(model, part)).enumerate() {
        let node = objects.child(parent, &format!("layer-{number}"));
        if part.layers().iter().all(|layer| model.layer_weights(*layer).is_empty()) {
            continue;
        }
        let name = format!("layer_with_weights-{with_weights}");
        with_weights += 1;
        objects.link(parent, &name, node);
        let path = format!("{path}{name}/");
        let layer = match part {
            Part::Layer(layer) => *layer,
            Part::Input => continue,
            Part::Model { parts, .. } => {
                write_layers(writer, objects, model, (node, &path, parts), trainable)?;
                continue;
            }
        };
        for weight in model.layer_weights(layer) {
            let entry = &graph.layers[layer];
            let attribute = entry.layer.attribute(weight.name);
            let full = format!("{}/{attribute}", entry.name);
            let (_, key) = objects.variable(node, attribute, &format!("{path}{attribute}"), &full);
            writer.floats(&key, &weight.shape, &weight.values())?;
            if weight.trainable {
                trainable.push(full);
            }
        }
    }
    Ok(())
}

/// Whether a part is the InputLayer of a Sequential model, which Keras does not count.
fn is_entry(model: &Model, part: &Part) -> bool {
    matches!(part, Part::Layer(layer) if model.graph().is_entry(*layer))
}

/// The nodes of the layers with weights, of submodels too. A model that has fewer than the file is a misfit.
fn layer_nodes(
    model: &Model,
    objects: &Objects,
    (parent, parts): (i32, &[Part]),
    nodes: &mut HashMap<usize, i32>,
    misfits: &mut Vec<String>,
) {
    let with_weights: Vec<&Part> =
        parts.iter().filter(|part| part.layers().iter().any(|layer| !model.layer_weights(*layer).is_empty())).collect();
    for (number, part) in with_weights.iter().enumerate() {
        match (objects.child(parent, &format!("layer_with_weights-{number}")), part) {
            (Some(node), Part::Layer(layer)) => drop(nodes.insert(*layer, node)),
            (Some(node), Part::Model { parts, .. }) => layer_nodes(model, objects, (node, parts), nodes, misfits),
            _ => {}
        }
    }
    if objects.child(parent, &format!("layer_with_weights-{}", with_weights.len())).is_some() {
        misfits.push(format!("the file has more than the {} layers with weights of the network", with_weights.len()));
    }
}

/// All weights, and the nodes of the trainable ones.
fn weights(model: &Model, bundle: &Bundle, objects: &Objects, root: i32) -> Result<(Vec<Vec<f32>>, Vec<i32>), Refusal> {
    let (mut nodes, mut misfits) = (HashMap::new(), Vec::new());
    layer_nodes(model, objects, (root, model.parts()), &mut nodes, &mut misfits);
    let variable = |wanted: &Wanted<'_>| {
        let node = *nodes.get(&wanted.layer)?;
        let attribute = model.graph().layers.get(wanted.layer)?.layer.attribute(wanted.weight.name);
        objects.child(node, attribute).or_else(|| objects.child(node, wanted.weight.name))
    };
    let mut variables = Vec::new();
    let values = collect(model, |wanted| {
        let Some(node) = variable(wanted) else { return Ok(None) };
        let Some(key) = objects.key(node) else { return Ok(None) };
        if wanted.weight.trainable {
            variables.push(node);
        }
        let Some(shape) = bundle.shape(key)? else { return Ok(None) };
        Ok(Some(Found { at: key.to_owned(), shape, read: Box::new(|| bundle.floats(key)) }))
    })?;
    // What the file has beyond the network tells of another one.
    for (layer, entry) in model.graph().layers.iter().enumerate() {
        let own = model.layer_weights(layer);
        let Some(node) = nodes.get(&layer).copied().filter(|_| !own.is_empty()) else { continue };
        let known = |name: &str| own.iter().any(|w| w.name == name || entry.layer.attribute(w.name) == name);
        for (name, _) in objects.children(node).filter(|(name, child)| objects.key(*child).is_some() && !known(name)) {
            misfits.push(format!("layer \"{}\": the file has a variable \"{name}\", the network has none", entry.name));
        }
    }
    if misfits.is_empty() { Ok((values, variables)) } else { Err(Refusal::Misfits(misfits)) }
}

/// The optimizer's variables in the order of [`OptimizerState::variables`], in either form.
fn read_optimizer(
    bundle: &Bundle,
    objects: &Objects,
    node: i32,
    model: &Model,
    state: &OptimizerState,
    weights: &[i32],
) -> Result<OptimizerValues, String> {
    let legacy = objects.child(node, "_variables").is_none();
    let iteration = ["_iterations", "iter", "iterations"].iter().find_map(|name| objects.key_at(node, &[name]));
    let iteration = bundle.integer(iteration.ok_or("it does not say how many steps were taken")?)?;
    let iterations = u64::try_from(iteration).map_err(|_| format!("{iteration} steps"))?;
    let rate = ["_learning_rate", "learning_rate"].iter().find_map(|name| objects.key_at(node, &[name]));
    let learning_rate = match rate {
        Some(key) => bundle.floats(key)?.first().copied(),
        None => None,
    };
    if !state.has_slots() {
        return Ok(OptimizerValues { iterations, learning_rate, loss_scale: None, slots: Vec::new() });
    }
    let variables = state.slot_shapes();
    let expected = variables.iter().filter(|v| v.weight.is_some()).count();
    if let Some(list) = objects.child(node, "_variables") {
        // The iteration is the first of them.
        let found = objects.children(list).count().saturating_sub(1);
        // Gradient descent without momentum has no momenta here, and zeros there.
        let zeros = if model.compiled().is_some_and(|how| is_plain_sgd(&how.optimizer)) { weights.len() } else { 0 };
        if found != expected && found != expected + zeros && expected > 0 {
            return Err(format!(
                "{expected} slot variables expected, the file has {found}; it was saved with another optimizer or other options"
            ));
        }
    }
    let mut number = 0;
    let mut slots = Vec::new();
    for variable in variables {
        let key = match variable.weight {
            None => objects.key_at(node, &["_u_product"]).or_else(|| objects.key_at(node, &["momentum_cache"])),
            Some(weight) if legacy => {
                let weight = weights.get(weight).copied().unwrap_or(-1);
                legacy_slots(variable.slot).iter().find_map(|slot| objects.slot_key(node, weight, slot))
            }
            Some(_) => {
                number += 1;
                objects.key_at(node, &["_variables", &number.to_string()])
            }
        };
        let key = key.ok_or_else(|| format!("no {} in the file; it was saved with another optimizer", variable.name))?;
        let found = bundle.shape(key)?.unwrap_or_default();
        if found != variable.shape {
            return Err(format!("{} ({key}): expected shape {:?}, found {found:?}", variable.name, variable.shape));
        }
        slots.push((found, bundle.floats(key)?));
    }
    Ok(OptimizerValues { iterations, learning_rate, loss_scale: None, slots })
}

/// What optimizers before tf_keras 2.11 call a slot (tf_keras/src/optimizers/legacy).
fn legacy_slots(slot: &str) -> &'static [&'static str] {
    match slot {
        "momentum" => &["m", "momentum"],
        "velocity" => &["v", "rms"],
        "velocity_hat" => &["vhat"],
        "average_gradient" => &["mg"],
        "accumulator" => &["accumulator"],
        "linear" => &["linear"],
        "accumulated_grad" => &["accum_grad"],
        "accumulated_delta_var" => &["accum_var"],
        "norm" => &["v"],
        _ => &[],
    }
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
