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
        let grows = batch > self.capacity || threads != self.threads || (training.is_some() && !self.training);
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
        let capacity = self.capacity;
        self.values = plan.slots.iter().map(|len| Buffer::new(len * capacity)).collect();
        self.saved = plan.steps.iter().map(|s| Buffer::new(s.op.saved_len(capacity))).collect();
        self.packed = plan.steps.iter().map(|s| Buffer::new(s.op.packed_len())).collect();
        self.packed_from = plan.steps.iter().map(|s| SmallVec::from_elem(Stamp::default(), s.weights.len())).collect();
        let scratch = plan.steps.iter().map(|s| s.op.scratch_len()).max().unwrap_or(0).next_multiple_of(16);
        self.scratch = parts(self.threads, scratch);
        let Some(training) = training else { return };
        let group = |slot: usize| plan.group_of(slot).min(capacity);
        self.gradients = (0..plan.slots.len())
            .map(|slot| match training.places[slot] {
                GradientPlace::Nowhere => Buffer::new(0),
                GradientPlace::Batch => Buffer::new(plan.slots[slot] * capacity),
                GradientPlace::Worker => Buffer::new((plan.slots[slot] * group(slot)).next_multiple_of(16) * self.threads),
            })
            .collect();
        let widest = plan.segments.iter().filter(|s| s.scope == Scope::Samples).map(|s| plan.group(s).min(capacity)).max();
        self.shared = parts(self.threads, (training.shared_len * widest.unwrap_or(0)).next_multiple_of(16));
        self.shared_batch = Buffer::new(training.shared_len * capacity);
        self.partials = Buffer::new(training.partial_len * super::lanes(capacity).max(super::MAX_LANES.min(capacity)));
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
