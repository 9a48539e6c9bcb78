//! A run of samples of other examples.

use crate::examples::{Examples, Targets};
use std::ops::Range;

/// The samples `range` of other examples.
pub struct Subset<'a> {
    of: &'a dyn Examples,
    range: Range<usize>,
}

impl<'a> Subset<'a> {
    /// Cuts off the last `share` of the samples, as Keras' `validation_split` does: the tail starts at `floor(n · (1 − share))`.
    pub(crate) fn split_tail(of: &'a dyn Examples, share: f64) -> (Subset<'a>, Subset<'a>) {
        let at = (of.len() as f64 * (1.0 - share)).floor() as usize;
        (Subset { of, range: 0..at }, Subset { of, range: at..of.len() })
    }

    fn shifted<T>(&self, indices: &[u32], with: impl FnOnce(&[u32]) -> T) -> T {
        let shifted: smallvec::SmallVec<[u32; 512]> = indices.iter().map(|i| i + self.range.start as u32).collect();
        with(&shifted)
    }
}

impl Examples for Subset<'_> {
    fn len(&self) -> usize {
        self.range.len()
    }
    fn input_lengths(&self) -> Vec<usize> {
        self.of.input_lengths()
    }
    fn fill(&self, input: usize, indices: &[u32], out: &mut [f32]) {
        self.shifted(indices, |indices| self.of.fill(input, indices, out));
    }
    fn fill_for_training(&self, input: usize, indices: &[u32], epoch: u64, out: &mut [f32]) {
        self.shifted(indices, |indices| self.of.fill_for_training(input, indices, epoch, out));
    }
    fn targets(&self) -> Vec<Targets> {
        self.of.targets()
    }
    fn fill_targets(&self, output: usize, indices: &[u32], out: &mut Targets) {
        self.shifted(indices, |indices| self.of.fill_targets(output, indices, out));
    }
    fn fill_weights(&self, indices: &[u32], out: &mut Vec<f32>) -> bool {
        self.shifted(indices, |indices| self.of.fill_weights(indices, out))
    }
}
