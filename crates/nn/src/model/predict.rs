//! Inference.

use super::{Model, Output, WeightGuards};
use crate::error::{Error, Result};
use crate::exec::{Feed, Samples, StepWeights, Walk, Workspace};
use smallvec::SmallVec;
use std::sync::{MutexGuard, PoisonError};

/// Most samples that go through the model at once in [`Model::predict`].
const BATCH: usize = 256;

impl Model {
    /// Outputs for samples in memory: one `[samples, …]` slice per input, one [`Output`] per output.
    ///
    /// ```
    /// # use maobi_nn::{graph::Sequential, layers::{Dense, InputLayer}};
    /// let model = Sequential::new().add(InputLayer::new([4])).add(Dense::new(2).activation("softmax")).build(1)?;
    /// let output = model.predict(&[&[0.0; 12]])?;
    /// assert_eq!(output[0].shape(), [3, 2]);
    /// # Ok::<(), maobi_nn::Error>(())
    /// ```
    ///
    /// # Errors
    /// When the number of inputs or their lengths do not fit the model, or there is not the memory for the values between its layers.
    pub fn predict(&self, inputs: &[&[f32]]) -> Result<Vec<Output>> {
        let samples = self.check_inputs(inputs)?;
        let feed = Samples { samples, inputs };
        let lengths: SmallVec<[usize; 4]> =
            self.graph.outputs.iter().map(|&n| self.graph.nodes[n].shape.iter().product()).collect();
        let mut outputs: Vec<Vec<f32>> = lengths.iter().map(|len| vec![0.0; len * samples]).collect();
        let mut first = 0;
        while first < samples {
            let n = BATCH.min(samples - first);
            self.predict_batch(&Part { feed: &feed, first, samples: n }, |output, values| {
                let len = lengths[output];
                outputs[output][first * len..(first + n) * len].copy_from_slice(values);
            })?;
            first += n;
        }
        Ok(self.outputs_of(outputs))
    }

    /// The outputs that these values are, one vector per output.
    pub fn outputs_of(&self, values: Vec<Vec<f32>>) -> Vec<Output> {
        let shapes = self.graph.outputs.iter().map(|&node| &self.graph.nodes[node].shape);
        shapes.zip(values).map(|(shape, values)| Output::new(shape, values)).collect()
    }

    /// Whether the first output is probabilities: the model ends in a softmax or sigmoid.
    pub fn gives_probabilities(&self) -> bool {
        let first = self.plan.outputs.first();
        self.plan.steps.iter().any(|step| Some(&step.output) == first && step.op.logits().is_some())
    }

    /// Runs one batch and hands each output, `[samples, …]`, to `take(output, values)`.
    ///
    /// Batches of one size after the other allocate nothing. Several threads may predict with one model: as many as did so at the same
    /// time, so many sets of buffers and packed weights are kept.
    ///
    /// # Errors
    /// When there is not the memory for a batch of this size; nothing is taken then.
    ///
    /// # Panics
    /// When `feed` cannot fill the inputs of this model; [`Model::predict`] checks its samples.
    pub fn predict_batch(&self, feed: &dyn Feed, mut take: impl FnMut(usize, &[f32])) -> Result<()> {
        self.walk(feed, |workspace| {
            for (output, &slot) in self.plan.outputs.iter().enumerate() {
                take(output, &workspace.values[slot].whole());
            }
        })
    }

    /// Runs one batch and shows the memory with the value of every layer.
    pub(super) fn walk(&self, feed: &dyn Feed, look: impl FnOnce(&Workspace)) -> Result<()> {
        let mut workspace = self.idle().pop().unwrap_or_default();
        if workspace.must_grow(feed.samples(), false, self.pool.threads()) {
            self.check_memory(feed.samples(), false)?;
        }
        workspace.prepare(&self.plan, None, feed.samples(), self.pool.threads());
        let mut halves = std::mem::take(&mut workspace.halves);
        halves.refresh(&self.plan, &self.weights, &self.pool);
        let guards: WeightGuards<'_> = self.weights.iter().map(|w| w.buffer().whole()).collect();
        let weights = StepWeights { values: &guards, halves: &halves };
        workspace.pack(&self.plan, weights, &self.pool, |weight| self.weights[weight].buffer().stamp());
        let walk = Walk { plan: &self.plan, weights, pool: &self.pool, seed: self.seed, step: 0 };
        workspace.forward(walk, feed, false);
        drop(guards);
        workspace.halves = halves;
        look(&workspace);
        // A panic on the way leaves it behind: nobody meets what it was in the middle of.
        self.idle().push(workspace);
        Ok(())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Workspace>> {
        self.inference.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number of samples in `inputs`, after checking their lengths.
    pub(crate) fn check_inputs(&self, inputs: &[&[f32]]) -> Result<usize> {
        let nodes = &self.graph.inputs;
        if inputs.len() != nodes.len() {
            return Err(Error::data("inputs", format!("{} (one per input of the model)", nodes.len()), inputs.len().to_string()));
        }
        let mut samples = None;
        for (i, (input, &node)) in inputs.iter().zip(nodes).enumerate() {
            let shape = &self.graph.nodes[node].shape;
            let len: usize = shape.iter().product();
            let n = input.len() / len.max(1);
            if n * len != input.len() || samples.is_some_and(|s| s != n) {
                let expected = match samples {
                    Some(s) => format!("{s} samples of shape {shape:?}, as in the first input"),
                    None => format!("a multiple of {len} values (samples of shape {shape:?})"),
                };
                return Err(Error::data(format!("input {i}"), expected, format!("{} values", input.len())));
            }
            samples = Some(n);
        }
        Ok(samples.unwrap_or(0))
    }
}

/// A run of samples of another feed.
struct Part<'a> {
    feed: &'a dyn Feed,
    first: usize,
    samples: usize,
}

impl Feed for Part<'_> {
    fn samples(&self) -> usize {
        self.samples
    }

    fn fill(&self, input: usize, first: usize, out: &mut [f32]) {
        self.feed.fill(input, self.first + first, out);
    }
}
