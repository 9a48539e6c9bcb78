//! Weights from a file that addresses them one by one: all are compared before any is taken.

use super::Refusal;
use maobi_nn::Model;
use maobi_nn::model::Weight;

/// One variable of a file.
pub(crate) struct Found<'a> {
    /// Where in the file it is, for messages.
    pub(crate) at: String,
    /// Axis lengths, in Keras' order of axes.
    pub(crate) shape: Vec<usize>,
    /// Reads its values; called only when the shape is the weight's own.
    pub(crate) read: Box<dyn FnOnce() -> Result<Vec<f32>, String> + 'a>,
}

/// A weight that values are wanted for.
pub(crate) struct Wanted<'a> {
    /// Index of its layer in the graph.
    pub(crate) layer: usize,
    /// The layer's name.
    pub(crate) layer_name: &'a str,
    /// Its place among the layer's weights.
    pub(crate) index: usize,
    /// The weight itself.
    pub(crate) weight: &'a Weight,
}

/// The values of all weights of `model`, in its order; `find` looks one up. `Err` lists every weight that is missing or has another shape.
pub(crate) fn collect<'a>(
    model: &Model,
    mut find: impl FnMut(&Wanted<'_>) -> Result<Option<Found<'a>>, String>,
) -> Result<Vec<Vec<f32>>, Refusal> {
    let mut misfits = Vec::new();
    let mut values = Vec::with_capacity(model.weights().len());
    for (layer, entry) in model.graph().layers.iter().enumerate() {
        for (index, weight) in model.layer_weights(layer).iter().enumerate() {
            let wanted = Wanted { layer, layer_name: &entry.name, index, weight };
            let what = format!("layer \"{}\", {}", wanted.layer_name, weight.name);
            let Some(found) = find(&wanted)? else {
                misfits.push(format!("{what}: not in the file; expected shape {:?}", weight.shape));
                continue;
            };
            if found.shape != weight.shape {
                misfits.push(format!("{what} ({}): expected shape {:?}, found {:?}", found.at, weight.shape, found.shape));
                continue;
            }
            let read = (found.read)()?;
            if read.len() != weight.len() {
                return Err(Refusal::Damaged(format!("{}: {} values expected, {} found", found.at, weight.len(), read.len())));
            }
            values.push(read);
        }
    }
    if misfits.is_empty() { Ok(values) } else { Err(Refusal::Misfits(misfits)) }
}

/// Gives the model what [`collect`] found.
pub(crate) fn put(model: &mut Model, values: &[Vec<f32>]) {
    for (weight, values) in model.weights_mut().iter_mut().zip(values) {
        weight.set_values(values);
    }
}
