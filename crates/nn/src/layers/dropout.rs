//! `Dropout`: in training, zeroes a share of the values and scales the rest.

use super::{Built, Layer, Shape, single};
use crate::op::{Backward, Forward, Op};
use maobi_kernels::pointwise;

keras_layer! {
    /// Inverted dropout: in training each value is 0 with probability `rate`, else x / (1 − rate); inference passes through.
    ///
    /// Keras file: `layers/regularization/dropout.py`.
    pub struct Dropout("dropout") new(
        /// The probability, in [0, 1).
        rate: f64,
    ) {
        /// Draws from this seed instead of the run's.
        seed: Option<u64> = None,
    } null { noise_shape }
}

impl Layer for Dropout {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        if !(0.0..1.0).contains(&self.rate) {
            return Err(format!("rate must be at least 0 and below 1, got {}", self.rate));
        }
        if self.rate == 0.0 {
            return Ok(Built::default());
        }
        Ok(Built::op(DropoutOp { rate: self.rate as f32, seed: self.seed, values: shape.iter().product() }, shape.clone()))
    }

    fn acts_only_in_training(&self) -> bool {
        true
    }
}

/// The mask is drawn anew in backward from the same counter, so nothing is stored.
#[derive(Debug)]
struct DropoutOp {
    rate: f32,
    seed: Option<u64>,
    values: usize,
}

impl Op for DropoutOp {
    fn is_identity_in_inference(&self) -> bool {
        true
    }

    fn forward(&self, c: Forward<'_>) {
        if !c.training {
            c.output.copy_from_slice(c.inputs[0]);
            return;
        }
        let random = c.random.with_seed(self.seed);
        let samples = c.inputs[0].chunks_exact(self.values).zip(c.output.chunks_exact_mut(self.values));
        for (i, (x, y)) in samples.enumerate() {
            pointwise::dropout(&random.stream(c.first + i), self.rate, x, y);
        }
    }

    fn backward(&self, c: Backward<'_, '_>) {
        let random = c.random.with_seed(self.seed);
        if let Some(dx) = &mut c.d_inputs[0] {
            let samples = c.d_output.chunks_exact(self.values).zip(dx.chunks_exact_mut(self.values));
            for (i, (dy, dx)) in samples.enumerate() {
                pointwise::dropout_backward(&random.stream(c.first + i), self.rate, dy, dx);
            }
        }
    }
}
