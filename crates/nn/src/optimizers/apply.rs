//! One step over all weights, in the order of Keras' `apply`: clip, decay, update, average.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::Ordering;

use maobi_kernels::memory::{Buffer, Ref, RefMut};
use maobi_kernels::pool::Pool;
use maobi_kernels::{reduce, update};

use super::chunk::{CHUNK, Chunk};
use super::state::OptimizerState;
use super::{LearningRate, MOST_SLOTS, Optimizer, Slots, Step, Whole};
use crate::regularizers::Regularizer;

/// Elements of the gradient that are prepared at a time, on the stack and in the first-level cache.
const BLOCK: usize = 2_048;

/// A trainable weight as the optimizer sees it.
#[derive(Clone, Copy, Debug)]
pub struct WeightRef<'a> {
    /// The values; written. Weights beyond [`CHUNK`] elements must be parted by [`partition`].
    pub value: &'a Buffer,
    /// The gradient of the loss, without regularisers; read. Parted by [`partition`] or not at all.
    pub gradient: &'a Buffer,
    /// Its penalty, whose gradient is added here.
    pub regularizer: Option<&'a Regularizer>,
    /// Whether weight decay applies to it; Keras decays every weight unless told otherwise.
    pub decay: bool,
}

/// The trainable weights of a model, in the order the state was made with. A slice of [`WeightRef`] is one.
pub trait Weights: Sync {
    /// How many there are.
    fn count(&self) -> usize;

    /// The weight at an index below [`Weights::count`]; called often, so it should only look up.
    fn weight(&self, index: usize) -> WeightRef<'_>;
}

impl Weights for [WeightRef<'_>] {
    fn count(&self) -> usize {
        self.len()
    }

    fn weight(&self, index: usize) -> WeightRef<'_> {
        self[index]
    }
}

/// Where the gradient of a chunk comes from once clipping is decided.
#[derive(Clone, Copy)]
enum Clip {
    None,
    Value(f32),
    /// Factors by weight, in the state.
    Scales,
}

impl Optimizer {
    /// One step. Allocates nothing after the first, and gives the same bits on every number of threads.
    ///
    /// # Panics
    /// When the weights are not those the state was made for, or a buffer is borrowed by somebody else.
    pub fn apply<W: Weights + ?Sized>(&self, state: &mut OptimizerState, pool: &Pool, weights: &W) {
        assert_eq!(weights.count(), state.weights.len(), "the weights this optimizer state was made for");
        if let LearningRate::Schedule(schedule) = &self.base().learning_rate {
            state.learning_rate = schedule.at(state.iterations);
        }
        let number = state.iterations + 1;
        if let Some(factor) = self.formula().factor(number) {
            state.product *= factor;
        }
        let clip = self.prepare_clip(state, pool, weights);
        let step = Step { learning_rate: state.learning_rate, number, product: state.product };
        let mut scratch = std::mem::take(&mut state.scratch);
        scratch.resize(state.scratch_len, 0.0);
        let (shared, formula) = (&*state, self.formula());
        // Here rather than in one of the tasks, for which the others would wait.
        shared.slots();
        pool.run(shared.chunks.len(), &|_, task| {
            let chunk = shared.chunks[task];
            if shared.weights[chunk.weight].treatment.whole.is_none() {
                let update = |w: &mut [f32], g: &[f32], slots: Slots<'_>| formula.update(step, w, g, slots);
                self.update_chunk(shared, step, clip, weights.weight(chunk.weight), chunk, &mut [0.0; BLOCK], update);
            }
        });
        for (index, info) in shared.weights.iter().enumerate() {
            let Some(len) = info.treatment.whole.filter(|_| info.len > 0) else { continue };
            let (ready, scratch) = scratch.split_at_mut(info.len);
            let update = |w: &mut [f32], g: &[f32], slots: Slots<'_>| {
                formula.update_whole(step, w, g, slots, Whole { shape: &info.shape, pool, scratch: &mut scratch[..len] });
            };
            self.update_chunk(shared, step, clip, weights.weight(index), Chunk { weight: index, part: None }, ready, update);
        }
        state.scratch = scratch;
        state.iterations = number;
    }

    /// Gives the weights the values of their moving average, as Keras does when training ends. Without one, or before the first step,
    /// nothing happens.
    ///
    /// # Panics
    /// As [`Optimizer::apply`].
    pub fn finalize<W: Weights + ?Sized>(&self, state: &OptimizerState, weights: &W) {
        if !state.use_ema || !state.is_allocated() {
            return;
        }
        assert_eq!(weights.count(), state.weights.len(), "the weights this optimizer state was made for");
        for index in 0..weights.count() {
            let average = &state.slots()[state.weights[index].average()];
            weights.weight(index).value.whole_mut().copy_from_slice(&average.whole());
        }
    }

    /// Decides how gradients are limited; norms are taken first, chunk by chunk.
    fn prepare_clip<W: Weights + ?Sized>(&self, state: &mut OptimizerState, pool: &Pool, weights: &W) -> Clip {
        // Keras ignores limits of 0.
        let positive = |limit: Option<f64>| limit.filter(|limit| *limit > 0.0).map(|limit| limit as f32);
        let (each, all) = (positive(self.base().clipnorm), positive(self.base().global_clipnorm));
        if each.is_none() && all.is_none() {
            return positive(self.base().clipvalue).map_or(Clip::None, Clip::Value);
        }
        let shared = &*state;
        pool.run(shared.chunks.len(), &|_, task| {
            let chunk = shared.chunks[task];
            let weight = weights.weight(chunk.weight);
            let len = shared.weights[chunk.weight].len;
            let (value, gradient) = (Run::read(weight.value, chunk, len), Run::read(weight.gradient, chunk, len));
            let squares = sum_of_squares(&value, &gradient, weight.regularizer);
            shared.squares[task].store(squares.to_bits(), Ordering::Relaxed);
        });
        let mut total = 0.0;
        let mut task = 0;
        for (index, info) in state.weights.iter().enumerate() {
            let mut sum = 0.0;
            for _ in 0..info.len.div_ceil(CHUNK) {
                sum += f64::from_bits(state.squares[task].load(Ordering::Relaxed));
                task += 1;
            }
            if let Some(limit) = each {
                let norm = sum.sqrt() as f32;
                // Not f32::max, which would hide a NaN.
                state.scales[index] = if norm <= limit { 1.0 } else { limit / norm };
            }
            total += sum;
        }
        if let (None, Some(limit)) = (each, all) {
            let norm = total.sqrt() as f32;
            // As in Keras, a norm of infinity or NaN is passed on instead of hidden.
            let scale = if norm.is_finite() { limit * (1.0 / norm).min(1.0 / limit) } else { f32::NAN };
            state.scales.fill(scale);
        }
        Clip::Scales
    }

    /// Decay, update and average of one chunk, in blocks as large as `ready`, which is memory for gradients.
    #[allow(clippy::too_many_arguments, reason = "what a step has, a weight, and what to do with it")]
    fn update_chunk(
        &self,
        state: &OptimizerState,
        step: Step,
        clip: Clip,
        weight: WeightRef<'_>,
        chunk: Chunk,
        ready: &mut [f32],
        mut update: impl FnMut(&mut [f32], &[f32], Slots<'_>),
    ) {
        let info = &state.weights[chunk.weight];
        let len = info.len;
        let (mut value, gradient) = (RunMut::write(weight.value, chunk, len), Run::read(weight.gradient, chunk, len));
        let mut names = [""; MOST_SLOTS];
        let own = names.iter_mut().zip(info.slots()).map(|(name, own)| *name = own).count();
        let slot = |place: usize| match chunk.part {
            Some(part) => state.slots()[place].part_mut(part),
            None => state.slots()[place].whole_mut(),
        };
        let mut guards: [Option<RefMut<'_>>; MOST_SLOTS] =
            std::array::from_fn(|index| (index < own).then(|| slot(info.first + index)));
        let mut average = state.use_ema.then(|| slot(info.average()));
        let scale = if let Clip::Scales = clip { state.scales[chunk.weight] } else { 1.0 };
        let untouched = matches!(clip, Clip::None) && weight.regularizer.is_none();
        let base = self.base();
        let decay = info.treatment.weight_decay.filter(|_| weight.decay).map(|decay| decay as f32);
        // Without anything to prepare, the chunk is one block.
        let block = if untouched && average.is_none() { gradient.len() } else { ready.len() };
        for start in (0..gradient.len()).step_by(block) {
            let at = start..gradient.len().min(start + block);
            let w = &mut value[at.clone()];
            let g = if untouched {
                &gradient[at.clone()]
            } else {
                let ready = &mut ready[..at.len()];
                ready.copy_from_slice(&gradient[at.clone()]);
                add_penalty(weight.regularizer, w, ready);
                match clip {
                    Clip::None => {}
                    Clip::Value(limit) => update::clip_value(ready, limit),
                    Clip::Scales => ready.iter_mut().for_each(|g| *g *= scale),
                }
                ready
            };
            if let Some(decay) = decay {
                update::weight_decay(w, decay, step.learning_rate);
            }
            let slots = Slots { names, values: guards.each_mut().map(|guard| piece(guard, &at)) };
            update(w, g, slots);
            if let Some(average) = &mut average {
                let average = &mut average[at];
                // The first step has nothing to average with.
                let momentum = if step.number == 1 { 0.0 } else { base.ema_momentum as f32 };
                update::ema(momentum, average, w);
                if base.ema_overwrite_frequency.is_some_and(|every| step.number.is_multiple_of(every)) {
                    w.copy_from_slice(average);
                }
            }
        }
    }
}

/// The part of a slot, or nothing.
fn piece<'a>(slot: &'a mut Option<RefMut<'_>>, at: &std::ops::Range<usize>) -> &'a mut [f32] {
    match slot {
        Some(values) => &mut values[at.clone()],
        None => &mut [],
    }
}

fn add_penalty(regularizer: Option<&Regularizer>, w: &[f32], g: &mut [f32]) {
    if let Some(regularizer) = regularizer {
        regularizer.function().add_gradient(w, g);
    }
}

/// Σ (g + penalty)², in blocks whose sums are added in f64.
fn sum_of_squares(value: &[f32], gradient: &[f32], regularizer: Option<&Regularizer>) -> f64 {
    if regularizer.is_none() {
        return gradient.chunks(BLOCK).map(|block| f64::from(reduce::sum_squares(block))).sum();
    }
    let mut ready = [0.0f32; BLOCK];
    let mut sum = 0.0;
    for (w, g) in value.chunks(BLOCK).zip(gradient.chunks(BLOCK)) {
        let ready = &mut ready[..g.len()];
        ready.copy_from_slice(g);
        add_penalty(regularizer, w, ready);
        sum += f64::from(reduce::sum_squares(ready));
    }
    sum
}

/// The elements of a chunk, borrowed with the part or parts that hold them.
struct Run<G> {
    guard: G,
    at: std::ops::Range<usize>,
}

type RunMut<'a> = Run<RefMut<'a>>;

/// Where a chunk lies in a buffer of `len` elements: in a part of its own, or in a single part.
fn place(buffer: &Buffer, chunk: Chunk, len: usize) -> (Option<usize>, std::ops::Range<usize>) {
    assert_eq!(buffer.len(), len, "a weight and its gradient keep the length the optimizer state was made for");
    let Some(part) = chunk.part else { return (None, 0..len) };
    let start = part * CHUNK;
    let count = CHUNK.min(len - start);
    if buffer.parts() == len.div_ceil(CHUNK) { (Some(part), 0..count) } else { (None, start..start + count) }
}

impl<'a> Run<Ref<'a>> {
    fn read(buffer: &'a Buffer, chunk: Chunk, len: usize) -> Run<Ref<'a>> {
        let (own, at) = place(buffer, chunk, len);
        Run { guard: own.map_or_else(|| buffer.whole(), |part| buffer.part(part)), at }
    }
}

impl<'a> Run<RefMut<'a>> {
    fn write(buffer: &'a Buffer, chunk: Chunk, len: usize) -> Run<RefMut<'a>> {
        let (own, at) = place(buffer, chunk, len);
        assert!(own.is_some() || at.len() == len, "weights beyond {CHUNK} elements must be parted by optimizers::partition");
        Run { guard: own.map_or_else(|| buffer.whole_mut(), |part| buffer.part_mut(part)), at }
    }
}

impl<G: Deref<Target = [f32]>> Deref for Run<G> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.guard[self.at.clone()]
    }
}

impl<G: DerefMut<Target = [f32]>> DerefMut for Run<G> {
    fn deref_mut(&mut self) -> &mut [f32] {
        let at = self.at.clone();
        &mut self.guard[at]
    }
}
