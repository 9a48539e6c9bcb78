//! `evaluate` and `predict` over whole sets, and the methods that a model gets from this crate.

use crate::error::{Error, Result};
use crate::examples::{Examples, Picked, Targets, check_inputs, check_shapes};
use crate::fit::{Fit, fit};
use crate::history::History;
use maobi_nn::losses::Target;
use maobi_nn::model::Logs;
use maobi_nn::{Batch, Model};

/// Samples per step of [`ModelExt::evaluate`] and [`ModelExt::predict_examples`].
const BATCH: usize = 256;

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

/// Keras' methods that work on whole sets of samples.
pub trait ModelExt {
    /// Trains; see [`fit`].
    ///
    /// # Errors
    /// As [`fit`].
    fn fit(&mut self, data: &dyn Examples, how: Fit<'_>) -> Result<History>;
    /// Loss and metrics over `data`.
    ///
    /// # Errors
    /// When the model is not compiled, or the data does not fit it or has no samples.
    fn evaluate(&self, data: &dyn Examples) -> Result<Logs>;
    /// Loss and metrics over `data`, and the outputs: one `[samples, …]` vector per output.
    ///
    /// # Errors
    /// As [`ModelExt::evaluate`].
    fn evaluate_with_outputs(&self, data: &dyn Examples) -> Result<(Logs, Vec<Vec<f32>>)>;
    /// The outputs for `data`, whose targets are not looked at: one `[samples, …]` vector per output.
    ///
    /// # Errors
    /// When the samples do not fit the model's inputs.
    fn predict_examples(&self, data: &dyn Examples) -> Result<Vec<Vec<f32>>>;
}

impl ModelExt for Model {
    fn fit(&mut self, data: &dyn Examples, how: Fit<'_>) -> Result<History> {
        fit(self, data, how)
    }

    fn evaluate(&self, data: &dyn Examples) -> Result<Logs> {
        check_shapes(self, data, "data")?;
        evaluate_into(self, data, BATCH, &mut |_, _, _| {})
    }

    fn evaluate_with_outputs(&self, data: &dyn Examples) -> Result<(Logs, Vec<Vec<f32>>)> {
        check_shapes(self, data, "data")?;
        let mut outputs: Vec<Vec<f32>> = vec![Vec::new(); self.output_shapes().len()];
        let logs = evaluate_into(self, data, BATCH, &mut |_, output, values| outputs[output].extend_from_slice(values))?;
        Ok((logs, outputs))
    }

    fn predict_examples(&self, data: &dyn Examples) -> Result<Vec<Vec<f32>>> {
        check_inputs(self, data, "data")?;
        let lengths = data.input_lengths();
        let mut outputs: Vec<Vec<f32>> = vec![Vec::new(); self.output_shapes().len()];
        let mut indices: Vec<u32> = Vec::with_capacity(BATCH);
        for first in (0..data.len()).step_by(BATCH) {
            indices.clear();
            indices.extend(first as u32..(first + BATCH).min(data.len()) as u32);
            let feed = Picked { examples: data, indices: &indices, lengths: &lengths, epoch: None };
            self.predict_batch(&feed, |output, values| outputs[output].extend_from_slice(values))?;
        }
        Ok(outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::Arrays;
    use maobi_nn::graph::Sequential;
    use maobi_nn::layers::{Dense, InputLayer};

    #[test]
    fn predictions_need_no_targets() {
        let model = Sequential::new().add(InputLayer::new([2])).add(Dense::new(3)).build(1).unwrap();
        let x = [0.5, -1.0, 2.0, 0.0, 1.0, 1.0];
        let data = |samples| Arrays::new(samples, vec![&x], Vec::new()).unwrap();
        assert_eq!(model.predict_examples(&data(3)).unwrap(), model.predict(&[&x]).unwrap());
        let message = model.predict_examples(&data(2)).unwrap_err().to_string();
        assert_eq!(message, "data: the model takes samples of shape [[2]] ([2] values), the data has [3] values");
        let message = model.evaluate(&data(3)).unwrap_err().to_string();
        assert_eq!(message, "data: the model has 1 outputs, the data targets for 0");
    }
}
