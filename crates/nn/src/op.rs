//! The contract between a layer's arithmetic and the executor.
//!
//! A layer lowers to a chain of [`Op`]s. An op works either on any run of samples ([`Scope::Samples`]: the executor calls it from
//! several threads on different samples) or on the whole batch ([`Scope::Batch`]: it is called once and uses the pool itself).

use maobi_kernels::pool::Pool;
use maobi_kernels::rng::Stream;
use std::fmt;

/// What one call of an op covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Any run of samples, called in parallel; weight gradients are partial sums that the executor adds up.
    Samples,
    /// The whole batch, called once; the op parallelises by itself.
    Batch,
}

/// Where an op's random numbers come from: a pure function of (seed, step, op, sample).
#[derive(Clone, Copy, Debug)]
pub struct Random {
    /// Seed of the run.
    pub seed: u64,
    /// Training step (optimizer iterations so far).
    pub step: u64,
    /// Index of the op in its model.
    pub op: u64,
}

impl Random {
    /// The same from a layer's own seed, if it has one.
    pub(crate) fn with_seed(self, seed: Option<u64>) -> Random {
        Random { seed: seed.unwrap_or(self.seed), ..self }
    }

    /// A number between `low` and `high` for one sample of the batch, the first of its stream; from a layer's own seed, if it has one.
    pub(crate) fn between(self, seed: Option<u64>, sample: usize, (low, high): (f32, f32)) -> f32 {
        low + (high - low) * self.with_seed(seed).stream(sample).uniform_at(0)
    }

    /// The stream of one sample of the batch.
    pub fn stream(&self, sample: usize) -> Stream {
        Stream::new(self.seed, self.step, self.op, sample as u64)
    }
}

/// Arguments of a forward call over `samples` samples. All slices are `[samples, …]`, sample-major, NHWC.
pub struct Forward<'a> {
    /// Number of samples in this call.
    pub samples: usize,
    /// Index in the batch of the first of them.
    pub first: usize,
    /// Training (dropout drops, batch statistics are used) or inference.
    pub training: bool,
    /// Source of random numbers.
    pub random: Random,
    /// One slice per input.
    pub inputs: &'a [&'a [f32]],
    /// The op's weights in the order its layer declared.
    pub weights: &'a [&'a [f32]],
    /// What [`Op::pack`] made of the weights.
    pub packed: &'a [f32],
    /// To be overwritten.
    pub output: &'a mut [f32],
    /// [`Op::saved_len`] values kept until backward (batch scope only).
    pub saved: &'a mut [f32],
    /// [`Op::scratch_len`] values of unspecified content.
    pub scratch: &'a mut [f32],
    /// Threads, for ops of batch scope.
    pub pool: &'a Pool,
}

/// Where the gradient of one weight goes.
pub struct WeightGradient<'a> {
    /// Same length as the weight.
    pub data: &'a mut [f32],
    /// Add to what is there (`true`) or overwrite it.
    pub accumulate: bool,
}

/// Arguments of a backward call, after a training forward call on the same samples.
pub struct Backward<'a, 'b> {
    /// Number of samples in this call.
    pub samples: usize,
    /// Index in the batch of the first of them.
    pub first: usize,
    /// The same random numbers as in forward.
    pub random: Random,
    /// The inputs of forward.
    pub inputs: &'a [&'a [f32]],
    /// The output of forward.
    pub output: &'a [f32],
    /// The op's weights.
    pub weights: &'a [&'a [f32]],
    /// What [`Op::pack`] made of the weights.
    pub packed: &'a [f32],
    /// What forward kept.
    pub saved: &'a [f32],
    /// Gradient with respect to the output; may be clobbered.
    pub d_output: &'a mut [f32],
    /// Gradient with respect to each input, to be overwritten; `None` where nobody needs it.
    pub d_inputs: &'a mut [Option<&'b mut [f32]>],
    /// Gradient with respect to each weight; `None` where it is frozen.
    pub d_weights: &'a mut [Option<WeightGradient<'b>>],
    /// [`Op::scratch_len`] values of unspecified content.
    pub scratch: &'a mut [f32],
    /// Threads, for ops of batch scope.
    pub pool: &'a Pool,
}

/// How a loss may read the input of an op that produces probabilities, instead of its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logits {
    /// The op is a softmax over the last axis.
    Softmax,
    /// The op is an element-wise sigmoid.
    Sigmoid,
}

/// One piece of arithmetic, forward and backward. Shapes are fixed when it is made.
pub trait Op: fmt::Debug + Send + Sync {
    /// What one call covers.
    fn scope(&self) -> Scope {
        Scope::Samples
    }
    /// Whether the output is the input with another shape: the executor then shares the memory and never calls the op.
    fn is_view(&self) -> bool {
        false
    }
    /// Whether the op only acts in training and passes its input through in inference.
    fn is_identity_in_inference(&self) -> bool {
        false
    }
    /// Length of `scratch` in f32, per call (samples scope: independent of the number of samples).
    fn scratch_len(&self) -> usize {
        0
    }
    /// Length of `packed`.
    fn packed_len(&self) -> usize {
        0
    }
    /// Lays the weights out for forward and backward; called once after they change.
    fn pack(&self, weights: &[&[f32]], packed: &mut [f32]) {
        let _ = (weights, packed);
    }
    /// Length of `saved` for a batch of `samples` (batch scope only).
    fn saved_len(&self, samples: usize) -> usize {
        let _ = samples;
        0
    }
    /// Set when the op turns logits into probabilities.
    fn logits(&self) -> Option<Logits> {
        None
    }
    /// Computes `output`.
    fn forward(&self, call: Forward<'_>);
    /// Computes `d_inputs` and `d_weights`.
    fn backward(&self, call: Backward<'_, '_>);
    /// Changes weights that training moves without gradient (batch-norm statistics), after a step; `saved` is what forward kept.
    fn update_state(&self, saved: &[f32], weights: &mut [&mut [f32]]) {
        let _ = (saved, weights);
    }
    /// Whether the weights are read in f32 whatever the policy, as those of normalization layers are.
    fn reads_f32_weights(&self) -> bool {
        false
    }
    /// Whether [`Op::update_state`] does anything.
    fn has_state(&self) -> bool {
        false
    }
}
