//! The methods that a model gets from this crate: `fit`, `evaluate` and `predict` over whole sets.

use crate::error::Result;
use crate::evaluate::evaluate_into;
use crate::examples::{Examples, Picked, check_inputs, check_shapes};
use crate::fit::{Fit, fit};
use crate::history::History;
use maobi_nn::Model;
use maobi_nn::model::{Logs, Output};

/// Samples per step of [`ModelExt::evaluate`] and [`ModelExt::predict_examples`].
const BATCH: usize = 256;

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
    /// Loss and metrics over `data`, and the outputs: one [`Output`] per output.
    ///
    /// # Errors
    /// As [`ModelExt::evaluate`].
    fn evaluate_with_outputs(&self, data: &dyn Examples) -> Result<(Logs, Vec<Output>)>;
    /// The outputs for `data`, whose targets are not looked at: one [`Output`] per output.
    ///
    /// # Errors
    /// When the samples do not fit the model's inputs.
    fn predict_examples(&self, data: &dyn Examples) -> Result<Vec<Output>>;
}

impl ModelExt for Model {
    fn fit(&mut self, data: &dyn Examples, how: Fit<'_>) -> Result<History> {
        fit(self, data, how)
    }

    fn evaluate(&self, data: &dyn Examples) -> Result<Logs> {
        check_shapes(self, data, "data")?;
        evaluate_into(self, data, BATCH, &mut |_, _, _| {})
    }

    fn evaluate_with_outputs(&self, data: &dyn Examples) -> Result<(Logs, Vec<Output>)> {
        check_shapes(self, data, "data")?;
        let mut outputs: Vec<Vec<f32>> = vec![Vec::new(); self.output_shapes().len()];
        let logs = evaluate_into(self, data, BATCH, &mut |_, output, values| outputs[output].extend_from_slice(values))?;
        Ok((logs, self.outputs_of(outputs)))
    }

    fn predict_examples(&self, data: &dyn Examples) -> Result<Vec<Output>> {
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
        Ok(self.outputs_of(outputs))
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
