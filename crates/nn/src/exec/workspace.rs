//! The memory a batch runs in, laid out once per batch size.

use super::halves::{HalfWeights, StepWeights};
use super::plan::Plan;
use super::training_plan::{GradientPlace, TrainingPlan};
use crate::op::Scope;
use maobi_kernels::memory::{Buffer, Stamp};
use maobi_kernels::pool::Pool;
use smallvec::SmallVec;
use std::ops::Range;

/// Packed values below which waking other threads costs more than it gives.
const PACK_TOGETHER: usize = 32768;

/// Largest batch for which [`Workspace::bytes`] asks the ops: their products of it and a sample's values fit 64 bits.
const MOST_SAMPLES: usize = 1 << 30;

/// Buffers for one batch at a time.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// Samples the buffers are partitioned for.
    pub(crate) batch: usize,
    capacity: usize,
    training: bool,
    threads: usize,
    /// Sample boundaries of the lanes.
    pub(crate) bounds: Vec<usize>,
    /// Per slot, a part per lane.
    pub(crate) values: Vec<Buffer>,
    /// Per slot, a part per lane or per worker.
    pub(crate) gradients: Vec<Buffer>,
    /// Per step, one part.
    pub(crate) saved: Vec<Buffer>,
    /// Per step, one part.
    pub(crate) packed: Vec<Buffer>,
    /// Per step and weight, what `packed` was made from.
    packed_from: Vec<SmallVec<[Stamp; 4]>>,
    /// A part per worker.
    pub(crate) scratch: Buffer,
    /// A part per worker: gradients on their way into a slot that others have written.
    pub(crate) shared: Buffer,
    /// A part per lane: sums of weight gradients.
    pub(crate) partials: Buffer,
    /// Gradient of a batch-scope op on its way into a slot that others have written.
    pub(crate) shared_batch: Buffer,
    offsets: Vec<usize>,
    /// Weights as layers of a mixed policy read them; a walk takes them out while it runs.
    pub(crate) halves: HalfWeights,
}

impl Workspace {
    /// Makes room for `batch` samples; allocates only when the batch, or the need for gradients, grows.
    pub(crate) fn prepare(&mut self, plan: &Plan, training: Option<&TrainingPlan>, batch: usize, threads: usize) {
        let grows = self.must_grow(batch, training.is_some(), threads);
        if self.batch == batch && !grows {
            return;
        }
        if grows {
            self.capacity = self.capacity.max(batch);
            self.training |= training.is_some();
            self.threads = threads;
            self.allocate(plan, training);
        }
        self.batch = batch;
        let lanes = super::lanes(batch);
        self.bounds.clear();
        self.bounds.extend((0..=lanes).map(|l| l * batch / lanes));
        for (slot, buffer) in self.values.iter_mut().enumerate() {
            scaled(&mut self.offsets, &self.bounds, plan.slots[slot]);
            buffer.partition(&self.offsets);
        }
        if let Some(training) = training {
            self.partition_gradients(plan, training, lanes);
        }
    }

    /// Whether [`Workspace::prepare`] would allocate.
    pub(crate) fn must_grow(&self, batch: usize, training: bool, threads: usize) -> bool {
        batch > self.capacity || threads != self.threads || (training && !self.training)
    }

    fn partition_gradients(&mut self, plan: &Plan, training: &TrainingPlan, lanes: usize) {
        for (slot, buffer) in self.gradients.iter_mut().enumerate() {
            match training.places[slot] {
                GradientPlace::Nowhere => {}
                GradientPlace::Batch => {
                    scaled(&mut self.offsets, &self.bounds, plan.slots[slot]);
                    buffer.partition(&self.offsets);
                }
                GradientPlace::Worker => {
                    let len = buffer.len() / self.threads;
                    even(&mut self.offsets, self.threads, len);
                    buffer.partition(&self.offsets);
                }
            }
        }
        even(&mut self.offsets, lanes, training.partial_len);
        self.partials.partition(&self.offsets);
    }

    fn allocate(&mut self, plan: &Plan, training: Option<&TrainingPlan>) {
        let lengths = Lengths::new(plan, training, self.capacity, self.threads);
        let buffers = |lengths: &[usize]| lengths.iter().map(|&len| Buffer::new(len)).collect();
        self.values = buffers(&lengths.values);
        self.saved = buffers(&lengths.saved);
        self.packed = buffers(&lengths.packed);
        self.packed_from = plan.steps.iter().map(|s| SmallVec::from_elem(Stamp::default(), s.weights.len())).collect();
        self.scratch = parts(self.threads, lengths.scratch);
        if training.is_some() {
            self.gradients = buffers(&lengths.gradients);
            self.shared = parts(self.threads, lengths.shared);
            self.shared_batch = Buffer::new(lengths.shared_batch);
            self.partials = Buffer::new(lengths.partials);
        }
    }

    /// Bytes of the buffers for `batch` samples; `u64::MAX` for more than fits.
    pub(crate) fn bytes(plan: &Plan, training: Option<&TrainingPlan>, batch: usize, threads: usize) -> u64 {
        // Ops multiply by the batch without a check: beyond this size no product of theirs is asked for.
        if batch > MOST_SAMPLES {
            return u64::MAX;
        }
        Lengths::new(plan, training, batch, threads).bytes(threads)
    }

    /// The lanes' sample ranges.
    pub(crate) fn lane(&self, lane: usize) -> Range<usize> {
        self.bounds[lane]..self.bounds[lane + 1]
    }

    /// Number of lanes of this batch.
    pub(crate) fn lanes(&self) -> usize {
        self.bounds.len() - 1
    }

    /// Lays out the weights for every step where they have changed; `stamp` is asked for each weight.
    pub(crate) fn pack(&mut self, plan: &Plan, weights: StepWeights<'_>, pool: &Pool, stamp: impl Fn(usize) -> Stamp) {
        let mut stale: SmallVec<[usize; 32]> = SmallVec::new();
        let mut values = 0;
        for (index, (step, from)) in plan.steps.iter().zip(&mut self.packed_from).enumerate() {
            let mut changed = false;
            for (from, &weight) in from.iter_mut().zip(&step.weights) {
                let now = stamp(weight);
                changed |= std::mem::replace(from, now) != now;
            }
            if changed && !self.packed[index].is_empty() {
                stale.push(index);
                values += self.packed[index].len();
            }
        }
        let pack = |index: usize| plan.steps[index].op.pack(&weights.of(&plan.steps[index]), &mut self.packed[index].whole_mut());
        if values < PACK_TOGETHER {
            stale.iter().for_each(|&index| pack(index));
        } else {
            pool.run(stale.len(), &|_, task| pack(stale[task]));
        }
    }
}

/// Lengths of all buffers, in values. Products that do not fit are `usize::MAX`.
#[derive(Debug, Default)]
struct Lengths {
    values: Vec<usize>,
    saved: Vec<usize>,
    packed: Vec<usize>,
    /// Of each worker.
    scratch: usize,
    gradients: Vec<usize>,
    /// Of each worker.
    shared: usize,
    shared_batch: usize,
    partials: usize,
}

impl Lengths {
    fn new(plan: &Plan, training: Option<&TrainingPlan>, capacity: usize, threads: usize) -> Lengths {
        let mut lengths = Lengths {
            values: plan.slots.iter().map(|len| len.saturating_mul(capacity)).collect(),
            saved: plan.steps.iter().map(|s| s.op.saved_len(capacity)).collect(),
            packed: plan.steps.iter().map(|s| s.op.packed_len()).collect(),
            scratch: whole_lines(plan.steps.iter().map(|s| s.op.scratch_len()).max().unwrap_or(0)),
            ..Lengths::default()
        };
        let Some(training) = training else { return lengths };
        let place = |slot: usize| match training.places[slot] {
            GradientPlace::Nowhere => 0,
            GradientPlace::Batch => plan.slots[slot].saturating_mul(capacity),
            GradientPlace::Worker => {
                let group = plan.group_of(slot).min(capacity);
                whole_lines(plan.slots[slot].saturating_mul(group)).saturating_mul(threads)
            }
        };
        lengths.gradients = (0..plan.slots.len()).map(place).collect();
        let widest = plan.segments.iter().filter(|s| s.scope == Scope::Samples).map(|s| plan.group(s).min(capacity)).max();
        lengths.shared = whole_lines(training.shared_len.saturating_mul(widest.unwrap_or(0)));
        lengths.shared_batch = training.shared_len.saturating_mul(capacity);
        let lanes = super::lanes(capacity).max(super::MAX_LANES.min(capacity));
        lengths.partials = training.partial_len.saturating_mul(lanes);
        lengths
    }

    fn bytes(&self, threads: usize) -> u64 {
        let of_workers = self.scratch.saturating_add(self.shared).saturating_mul(threads);
        let each = [&self.values, &self.saved, &self.packed, &self.gradients].into_iter().flatten();
        let values =
            each.chain([&of_workers, &self.shared_batch, &self.partials]).fold(0u64, |sum, &n| sum.saturating_add(n as u64));
        values.saturating_mul(size_of::<f32>() as u64)
    }
}

/// The next multiple of 16 values, a cache line.
fn whole_lines(len: usize) -> usize {
    len.checked_next_multiple_of(16).unwrap_or(usize::MAX)
}

impl Plan {
    /// Group size of the segment in which a slot's gradient is made.
    fn group_of(&self, slot: usize) -> usize {
        let step = self.steps.iter().position(|s| s.output == slot);
        let segment = step.and_then(|i| self.segments.iter().find(|s| s.steps.contains(&i)));
        segment.map_or(0, |s| self.group(s))
    }
}

fn parts(count: usize, len: usize) -> Buffer {
    let mut buffer = Buffer::new(count * len);
    let mut offsets = Vec::new();
    even(&mut offsets, count, len);
    buffer.partition(&offsets);
    buffer
}

fn even(offsets: &mut Vec<usize>, count: usize, len: usize) {
    offsets.clear();
    offsets.extend((0..=count).map(|i| i * len));
}

fn scaled(offsets: &mut Vec<usize>, bounds: &[usize], len: usize) {
    offsets.clear();
    offsets.extend(bounds.iter().map(|b| b * len));
}
