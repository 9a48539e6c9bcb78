//! Where the samples of a batch come from.

/// A batch that can write its samples into the model's input buffers, from several threads at once.
pub trait Feed: Sync {
    /// Number of samples.
    fn samples(&self) -> usize;
    /// Writes the samples `first..` of input `input` until `out`, `[samples, …]`, is full.
    fn fill(&self, input: usize, first: usize, out: &mut [f32]);
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
}
