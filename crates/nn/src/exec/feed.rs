//! Where the samples of a batch come from.

use crate::error::{Error, Result};

/// A batch that can write its samples into the model's input buffers, from several threads at once.
pub trait Feed: Sync {
    /// Number of samples.
    fn samples(&self) -> usize;
    /// Writes the samples `first..` of input `input` until `out`, `[samples, …]`, is full.
    fn fill(&self, input: usize, first: usize, out: &mut [f32]);
    /// Called before a step of training or evaluation, with the values of one sample of each input of the model: what does not
    /// fit is an error here, as [`Feed::fill`] cannot give one.
    ///
    /// # Errors
    /// Which input, how many values were expected, how many there are.
    fn check(&self, lengths: &[usize]) -> Result<()> {
        let _ = lengths;
        Ok(())
    }
}

/// A batch that lies in memory as f32, `[samples, …]` per input.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    /// Number of samples.
    pub samples: usize,
    /// One slice per input of the model.
    pub inputs: &'a [&'a [f32]],
}

impl Feed for Samples<'_> {
    fn samples(&self) -> usize {
        self.samples
    }

    fn fill(&self, input: usize, first: usize, out: &mut [f32]) {
        let x = self.inputs[input];
        let start = first * (x.len() / self.samples.max(1));
        out.copy_from_slice(&x[start..start + out.len()]);
    }
    fn check(&self, lengths: &[usize]) -> Result<()> {
        let Samples { samples, inputs } = *self;
        if inputs.len() != lengths.len() {
            let expected = format!("{} (one per input of the model)", lengths.len());
            return Err(Error::data("inputs", expected, inputs.len().to_string()));
        }
        for (i, (input, &len)) in inputs.iter().zip(lengths).enumerate() {
            if samples.checked_mul(len) != Some(input.len()) {
                let expected = format!("{} values ({samples} samples of {len})", samples.saturating_mul(len));
                return Err(Error::data(format!("input {i}"), expected, format!("{} values", input.len())));
            }
        }
        Ok(())
    }
}
