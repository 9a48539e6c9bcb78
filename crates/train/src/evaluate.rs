//! Loss and metrics over a whole set.

use crate::error::{Error, Result};
use crate::examples::{Examples, Picked, Targets};
use maobi_nn::losses::Target;
use maobi_nn::model::Logs;
use maobi_nn::{Batch, Model};

/// Loss and metrics over `data`; `see(first, output, values)` gets every batch's outputs.
pub(crate) fn evaluate_into(
    model: &Model,
    data: &dyn Examples,
    batch_size: usize,
    see: &mut dyn FnMut(usize, usize, &[f32]),
) -> Result<Logs> {
    if data.is_empty() {
        return Err(Error::argument("data", "there are no samples"));
    }
    let mut evaluation = model.start_evaluation()?;
    let batch_size = batch_size.clamp(1, data.len());
    let lengths = data.input_lengths();
    let mut targets = data.targets();
    let mut weights = Vec::new();
    let mut indices: Vec<u32> = Vec::with_capacity(batch_size);
    for first in (0..data.len()).step_by(batch_size) {
        indices.clear();
        indices.extend(first as u32..(first + batch_size).min(data.len()) as u32);
        for (output, targets) in targets.iter_mut().enumerate() {
            data.fill_targets(output, &indices, targets);
        }
        let weighted = data.fill_weights(&indices, &mut weights);
        let feed = Picked { examples: data, indices: &indices, lengths: &lengths, epoch: None };
        let targets: smallvec::SmallVec<[Target<'_>; 4]> = targets.iter().map(Targets::as_target).collect();
        let batch = Batch { feed: &feed, targets: &targets, sample_weight: weighted.then_some(&weights), class_weight: None };
        model.test_on_batch(&mut evaluation, batch, |output, values| see(first, output, values))?;
    }
    Ok(evaluation.logs())
}

/// The loss among the logs of an evaluation where it is NaN or infinite: the model is of no use.
pub fn bad_loss(logs: &[(String, f64)]) -> Option<f64> {
    logs.iter().find(|(name, loss)| name == "loss" && !loss.is_finite()).map(|(_, loss)| *loss)
}
