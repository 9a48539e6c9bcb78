//! Weights in the layout of `.h5` files: `layer_names`, and per layer `weight_names` and datasets of those names.
//!
//! Keras goes by order and never by name (keras/src/legacy/saving/legacy_h5_format.py, `load_weights_from_hdf5_group`): the n-th
//! layer of the file that has weights is the n-th of the network, whatever the two are called.

use super::named::{Found, collect};
use super::write::whole;
use super::{OptimizerValues, Refusal, Values};
use crate::hdf5::{Group, Reader};
use maobi_nn::Model;
use maobi_nn::optimizers::OptimizerState;
use std::collections::HashMap;

/// The group of a whole model's weights; a file of weights alone has them at its root.
const WEIGHTS: &str = "model_weights";
/// The group of the optimizer's variables.
const OPTIMIZER: &str = "optimizer_weights";
/// The release whose form is written: the one that all of Keras 3 and tf_keras read.
pub(crate) const VERSION: &str = "2.15.0";

/// A layer of a file: its name, and where its variables are.
struct Saved {
    name: String,
    places: Vec<String>,
}

/// Reads the values for `model`; its optimizer state too when `optimizer` says so.
pub(crate) fn read(reader: &Reader, model: &Model, optimizer: bool) -> Result<Values, Refusal> {
    let saved = layers_of(reader)?;
    let own: Vec<Own> = layers_with_weights(model);
    if own.len() != saved.len() {
        let ours: Vec<&str> = own.iter().map(|layer| layer.name.as_str()).collect();
        let theirs: Vec<&str> = saved.iter().map(|layer| layer.name.as_str()).collect();
        return Err(Refusal::Misfits(vec![format!(
            "{} layers have weights ({}), in the file {} ({})",
            ours.len(),
            brief(&ours),
            theirs.len(),
            brief(&theirs)
        )]));
    }
    let mut misfits = Vec::new();
    let mut places: HashMap<(usize, usize), &str> = HashMap::new();
    for (own, saved) in own.iter().zip(&saved) {
        if own.weights.len() != saved.places.len() {
            let (name, expected, found) = (&own.name, own.weights.len(), saved.places.len());
            misfits.push(format!("layer \"{name}\" (\"{}\"): expected {expected} variables, found {found}", saved.name));
            continue;
        }
        places.extend(own.weights.iter().copied().zip(saved.places.iter().map(String::as_str)));
    }
    let found = collect(model, |wanted| {
        let Some(at) = places.get(&(wanted.layer, wanted.index)).copied() else { return Ok(None) };
        let missing = || format!("/{at} is missing (layer \"{}\", {})", wanted.layer_name, wanted.weight.name);
        let shape = reader.shape(at)?.ok_or_else(missing)?;
        let len = wanted.weight.len();
        // Read only when the shape is the network's own: it is no claim of the file's then how much memory it takes.
        let read = move || Ok(reader.dataset(at, len)?.ok_or_else(|| format!("/{at} is missing"))?.to_f32());
        Ok(Some(Found { at: format!("/{at}"), shape, read: Box::new(read) }))
    });
    let mut weights = Vec::new();
    match found {
        Ok(values) => weights = values,
        // A layer with another number of variables is told of above, once.
        Err(Refusal::Misfits(more)) => misfits.extend(more.into_iter().filter(|line| !line.contains(": not in the file;"))),
        Err(damaged) => return Err(damaged),
    }
    let state = model.optimizer_state_ref().filter(|_| optimizer);
    let optimizer = match state {
        Some(state) => read_optimizer(reader, state, &mut misfits)?,
        None => None,
    };
    if misfits.is_empty() { Ok(Values { weights, optimizer }) } else { Err(Refusal::Misfits(misfits)) }
}

/// The layers of a file that have weights, in its order.
fn layers_of(reader: &Reader) -> Result<Vec<Saved>, String> {
    let root = if reader.has_group(WEIGHTS)? { WEIGHTS } else { "" };
    let names = reader.texts(root, "layer_names")?.ok_or_else(|| format!("/{root} has no attribute layer_names"))?;
    let mut layers = Vec::new();
    for name in names {
        let at = join(root, &name);
        if !reader.has_group(&at)? {
            return Err(format!("/{at} is missing; layer_names lists it"));
        }
        let places: Vec<String> =
            reader.texts(&at, "weight_names")?.unwrap_or_default().iter().map(|weight| join(&at, weight)).collect();
        if !places.is_empty() {
            layers.push(Saved { name, places });
        }
    }
    Ok(layers)
}

fn join(group: &str, path: &str) -> String {
    if group.is_empty() { path.to_string() } else { format!("{group}/{path}") }
}

/// A layer of the network or a submodel: these files hold it as one layer.
struct Own {
    name: String,
    /// Layer and index of each weight, as these files order them: those that are trained first, then the rest.
    weights: Vec<(usize, usize)>,
}

/// All layers of a network but the InputLayer of a Sequential one.
fn own_layers(model: &Model) -> Vec<Own> {
    let outline = model.outline();
    let layers = outline.layers.iter().zip(model.parts()).enumerate().filter(|(index, _)| !outline.is_entry(*index));
    layers
        .map(|(_, (entry, part))| {
            let mut weights: Vec<(usize, usize)> = part
                .layers()
                .into_iter()
                .flat_map(|layer| (0..model.layer_weights(layer).len()).map(move |index| (layer, index)))
                .collect();
            weights.sort_by_key(|&(layer, index)| !model.layer_weights(layer)[index].trainable);
            Own { name: entry.name.clone(), weights }
        })
        .collect()
}

fn layers_with_weights(model: &Model) -> Vec<Own> {
    own_layers(model).into_iter().filter(|own| !own.weights.is_empty()).collect()
}

/// Names, the first few of many.
fn brief(names: &[&str]) -> String {
    const MOST: usize = 12;
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(MOST)].join(", "))
}

/// How a file orders its slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SlotOrder {
    /// As Keras 3 and the newer Keras 2 do, and we.
    Own,
    /// One slot of all weights, then the next: `OptimizerV2` of TensorFlow 2.0 to 2.10.
    BySlot,
}

/// Reads what `state` needs; `None` when the file has no optimizer state.
fn read_optimizer(reader: &Reader, state: &OptimizerState, misfits: &mut Vec<String>) -> Result<Option<OptimizerValues>, String> {
    let names = reader.texts(OPTIMIZER, "weight_names")?.unwrap_or_default();
    let Some(first) = names.first() else { return Ok(None) };
    // "adam/iteration", "iteration:0", and "Adam/iter:0" or "training/Adam/iter:0".
    let order = match first.rsplit('/').next().unwrap_or(first).trim_end_matches(":0") {
        "iteration" => SlotOrder::Own,
        "iter" => SlotOrder::BySlot,
        _ => {
            misfits.push(format!("optimizer: the order of its variables (\"{first}\", …) is not known here"));
            return Ok(None);
        }
    };
    let mut places: Vec<String> = names.iter().map(|name| join(OPTIMIZER, name)).collect();
    let variables = state.slot_shapes();
    if order == SlotOrder::BySlot && places.len() == variables.len() + 1 {
        let slots = places.split_off(1);
        let kinds: Vec<&str> = variables.iter().map(|variable| variable.slot).collect();
        let mut own: Vec<(usize, String)> = by_slot(&kinds).into_iter().zip(slots).collect();
        own.sort_by_key(|(index, _)| *index);
        places.extend(own.into_iter().map(|(_, place)| place));
    }
    OptimizerValues::read_from(reader, &places, 0, state, misfits)
}

/// The indices of variables of these slots, one slot of all weights after the other.
fn by_slot(kinds: &[&str]) -> Vec<usize> {
    let mut slots: Vec<&str> = Vec::new();
    for slot in kinds {
        if !slots.contains(slot) {
            slots.push(slot);
        }
    }
    let mut order: Vec<usize> = (0..kinds.len()).collect();
    order.sort_by_key(|&index| slots.iter().position(|slot| *slot == kinds[index]));
    order
}

/// The root of a file of weights alone.
pub(crate) fn weights_only(model: &Model) -> Group {
    let mut root = Group::default();
    fill(&mut root, model);
    root
}

/// Adds a whole model's `model_weights`, and the optimizer's variables when `optimizer` says so.
pub(crate) fn write(root: &mut Group, model: &Model, optimizer: bool) -> Result<(), String> {
    fill(root.at(WEIGHTS), model);
    let Some(state) = model.optimizer_state_ref().filter(|state| optimizer && state.has_slots()) else { return Ok(()) };
    // As Keras 2 has them: tf_keras goes on from there, and Keras 3 restores none, whatever their form.
    let class = model.compiled().map_or("optimizer", |how| how.optimizer.class_name());
    let group = root.at(OPTIMIZER);
    let mut names = vec![format!("{class}/iter:0")];
    group.put_i64(&names[0], whole(state.iterations)?);
    let variables = state.variables();
    let kinds: Vec<&str> = variables.iter().map(|variable| variable.slot).collect();
    for variable in by_slot(&kinds).into_iter().map(|index| &variables[index]) {
        let name = format!("{class}/{}:0", variable.name);
        group.put_f32(&name, &variable.shape, &variable.values);
        names.push(name);
    }
    group.texts("weight_names", &names);
    Ok(())
}

fn fill(group: &mut Group, model: &Model) {
    let layers = own_layers(model);
    let names: Vec<String> = layers.iter().map(|layer| layer.name.clone()).collect();
    group.texts("layer_names", &names);
    group.text("backend", "tensorflow");
    group.text("keras_version", VERSION);
    for layer in layers {
        let own = group.at(&layer.name);
        let mut paths = Vec::with_capacity(layer.weights.len());
        for (layer, index) in layer.weights {
            let weight = &model.layer_weights(layer)[index];
            let path = format!("{}:0", weight.path);
            own.put_f32(&path, &weight.shape, &weight.values());
            paths.push(path);
        }
        own.texts("weight_names", &paths);
    }
    group.at("top_level_model_weights").texts("weight_names", &[]);
}
