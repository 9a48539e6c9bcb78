//! Weights from an HDF5 file into a model: everything is read and compared before anything changes.

use super::named::put;
use super::{OptimizerValues, Refusal, Values, legacy, slots};
use crate::hdf5::{Layout, Reader};
use maobi_nn::Model;
use std::collections::HashMap;

/// Reads the values for `model` from any of Keras' layouts; its optimizer state too when `optimizer` says so.
pub(crate) fn read_any(reader: &Reader, model: &Model, optimizer: bool) -> Result<Values, Refusal> {
    match Layout::of(reader)? {
        Some(Layout::Weights) => read_weights(reader, model, optimizer),
        Some(Layout::Legacy) => legacy::read(reader, model, optimizer),
        None => Err(Refusal::Damaged(
            "an HDF5 file, but none of Keras: it has neither a group /layers (Keras 3) nor an attribute layer_names".into(),
        )),
    }
}

/// What `read(with_optimizer)` finds for `model`: with the optimizer's variables, or without them and a note where they alone do not fit.
pub(crate) fn read_whole(
    model: &Model,
    notes: &mut Vec<String>,
    read: impl Fn(bool) -> Result<Values, Refusal>,
) -> Result<Values, Refusal> {
    match read(true) {
        Err(refusal) if refusal.is_optimizer_only() => {
            // The weights are good: training can start anew.
            notes.push(format!("optimizer state not restored: {}", refusal.message()));
            read(false)
        }
        Ok(values) if model.compiled().is_some() && !values.has_optimizer() => {
            notes.push("the file has no optimizer state; training starts with a fresh one".into());
            Ok(values)
        }
        other => other,
    }
}

/// Reads the values for `model` from Keras 3's layout; its optimizer state too when `optimizer` says so.
pub(crate) fn read_weights(reader: &Reader, model: &Model, optimizer: bool) -> Result<Values, Refusal> {
    if !reader.has_group("layers")? {
        return Err(Refusal::Damaged("no group /layers; expected the weights layout of Keras 3".into()));
    }
    let mut misfits = Vec::new();
    let mut weights = Vec::with_capacity(model.weights().len());
    for (layer, group) in groups(reader, model)? {
        let name = &model.graph().layers[layer].name;
        let own = model.layer_weights(layer);
        let path = format!("layers/{group}/vars");
        let found = reader.count(&path)?.unwrap_or(0);
        if found != own.len() {
            misfits.push(format!("layer \"{name}\" (/{path}): expected {} variables, found {found}", own.len()));
            continue;
        }
        for (index, weight) in own.iter().enumerate() {
            let at = format!("{path}/{index}");
            let missing = || Refusal::Damaged(format!("/{at} is missing (layer \"{name}\", {})", weight.name));
            let shape = reader.shape(&at)?.ok_or_else(missing)?;
            if shape != weight.shape {
                let (what, expected) = (weight.name, &weight.shape);
                misfits.push(format!("layer \"{name}\", {what} (/{at}): expected shape {expected:?}, found {shape:?}"));
                continue;
            }
            // The shape is the network's own by now, so it is no claim of the file's how much memory it takes.
            weights.push(reader.dataset(&at, weight.len())?.ok_or_else(missing)?.to_f32());
        }
    }
    let state = model.optimizer_state_ref().filter(|_| optimizer);
    let optimizer = match state {
        Some(state) => OptimizerValues::read(reader, state, &mut misfits)?,
        None => None,
    };
    if misfits.is_empty() { Ok(Values { weights, optimizer }) } else { Err(Refusal::Misfits(misfits)) }
}

/// The group of each layer that has weights.
///
/// Keras itself goes by slots. Where every layer's name is found in the file under its class, names decide: they stay right when
/// layers were numbered in another order.
fn groups(reader: &Reader, model: &Model) -> Result<Vec<(usize, String)>, String> {
    let slots = slots(model);
    let with_weights = slots.into_iter().filter(|s| !model.layer_weights(s.layer).is_empty());
    let by_slot: Vec<(usize, String)> = with_weights.map(|s| (s.layer, s.slot)).collect();
    let mut named: HashMap<String, String> = HashMap::new();
    for group in reader.groups("layers")?.unwrap_or_default() {
        if let Some(name) = reader.text(&format!("layers/{group}/vars"), "name")?
            && named.insert(name, group).is_some()
        {
            return Ok(by_slot);
        }
    }
    let by_name: Option<Vec<(usize, String)>> = by_slot
        .iter()
        .map(|(layer, slot)| {
            let group = named.get(&model.graph().layers[*layer].name)?;
            (stem(group) == stem(slot)).then(|| (*layer, group.clone()))
        })
        .collect();
    Ok(by_name.unwrap_or(by_slot))
}

/// A slot without its number.
fn stem(slot: &str) -> &str {
    match slot.rsplit_once('_') {
        Some((stem, number)) if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) => stem,
        _ => slot,
    }
}

/// Gives the model what was read for it.
pub(crate) fn apply(values: &Values, model: &mut Model) -> Result<(), String> {
    // The optimizer first: it is the one that can still refuse.
    if let (Some(optimizer), Some(state)) = (&values.optimizer, model.optimizer_state_mut()) {
        optimizer.apply(state)?;
    }
    put(model, &values.weights);
    Ok(())
}
