//! The forward walk.

use super::plan::{Plan, Segment};
use super::{Feed, Guards, Slices, StepWeights, Workspace, round_on};
use crate::op::{Forward, Random, Scope};
use maobi_kernels::pool::Pool;

/// What stays the same over one walk through a model.
#[derive(Clone, Copy)]
pub(crate) struct Walk<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) weights: StepWeights<'a>,
    pub(crate) pool: &'a Pool,
    pub(crate) seed: u64,
    pub(crate) step: u64,
}

impl Walk<'_> {
    pub(crate) fn random(&self, op: usize) -> Random {
        Random { seed: self.seed, step: self.step, op: op as u64 }
    }
}

/// Values per segment below which waking other threads costs more than it gives.
const SMALL: usize = 8192;

impl Workspace {
    /// Runs a batch from `feed` through the model; `prepare` and `pack` came before.
    pub(crate) fn forward(&self, walk: Walk<'_>, feed: &dyn Feed, training: bool) {
        let plan = walk.plan;
        let fused_feed = plan.inputs.len() == 1 && plan.segments.first().is_some_and(|s| s.scope == Scope::Samples);
        if !fused_feed {
            for (input, &slot) in plan.inputs.iter().enumerate() {
                let values = plan.slots[slot] * self.batch;
                self.over_lanes(walk.pool, values, &|_, lane| {
                    let values = &mut self.values[slot].part_mut(lane);
                    feed.fill(input, self.bounds[lane], values);
                    if let Some(half) = plan.halves[slot] {
                        half.round(values);
                    }
                });
            }
        }
        for (i, segment) in plan.segments.iter().enumerate() {
            match segment.scope {
                Scope::Batch => self.forward_batch(walk, segment.steps.start, training),
                Scope::Samples => {
                    let feed = (i == 0 && fused_feed).then_some(feed);
                    self.over_lanes(walk.pool, self.segment_values(plan, segment), &|worker, lane| {
                        self.forward_lane(walk, segment, worker, lane, training, feed);
                    });
                }
            }
        }
    }

    /// Runs `task(worker, lane)` for every lane, on the pool when there is enough to do.
    pub(crate) fn over_lanes(&self, pool: &Pool, values: usize, task: &(dyn Fn(usize, usize) + Sync)) {
        if values < SMALL {
            (0..self.lanes()).for_each(|lane| task(0, lane));
        } else {
            pool.run(self.lanes(), task);
        }
    }

    pub(crate) fn segment_values(&self, plan: &Plan, segment: &Segment) -> usize {
        let per_sample: usize =
            plan.steps[segment.steps.clone()].iter().map(|s| plan.slots[s.output].max(plan.slots[s.inputs[0]])).sum();
        per_sample * self.batch
    }

    fn forward_batch(&self, walk: Walk<'_>, index: usize, training: bool) {
        let step = &walk.plan.steps[index];
        let guards: Guards<'_> = step.inputs.iter().map(|&s| self.values[s].whole()).collect();
        let inputs: Slices<'_> = guards.iter().map(|g| &**g).collect();
        step.op.forward(Forward {
            samples: self.batch,
            first: 0,
            training,
            random: walk.random(index),
            inputs: &inputs,
            weights: &walk.weights.of(step),
            packed: &self.packed[index].whole(),
            output: &mut self.values[step.output].whole_mut(),
            saved: &mut self.saved[index].whole_mut(),
            scratch: &mut self.scratch.part_mut(0)[..step.op.scratch_len()],
            pool: walk.pool,
        });
        if let Some(half) = walk.plan.halves[step.output] {
            round_on(walk.pool, half, &mut self.values[step.output].whole_mut());
        }
    }

    fn forward_lane(
        &self,
        walk: Walk<'_>,
        segment: &Segment,
        worker: usize,
        lane: usize,
        training: bool,
        feed: Option<&dyn Feed>,
    ) {
        let plan = walk.plan;
        let range = self.lane(lane);
        let group = plan.group(segment);
        let mut scratch = self.scratch.part_mut(worker);
        let mut first = range.start;
        while first < range.end {
            let samples = group.min(range.end - first);
            let at = first - range.start;
            if let Some(feed) = feed {
                let (slot, len) = (plan.inputs[0], plan.slots[plan.inputs[0]]);
                let values = &mut self.values[slot].part_mut(lane)[at * len..(at + samples) * len];
                feed.fill(0, first, values);
                if let Some(half) = plan.halves[slot] {
                    half.round(values);
                }
            }
            for index in segment.steps.clone() {
                let step = &plan.steps[index];
                let guards: Guards<'_> = step.inputs.iter().map(|&s| self.values[s].part(lane)).collect();
                let inputs: Slices<'_> = guards
                    .iter()
                    .zip(&step.inputs)
                    .map(|(g, &s)| &g[at * plan.slots[s]..(at + samples) * plan.slots[s]])
                    .collect();
                let len = plan.slots[step.output];
                let output = &mut self.values[step.output].part_mut(lane)[at * len..(at + samples) * len];
                step.op.forward(Forward {
                    samples,
                    first,
                    training,
                    random: walk.random(index),
                    inputs: &inputs,
                    weights: &walk.weights.of(step),
                    packed: &self.packed[index].whole(),
                    output,
                    saved: &mut [],
                    scratch: &mut scratch[..step.op.scratch_len()],
                    pool: walk.pool,
                });
                if let Some(half) = plan.halves[step.output] {
                    half.round(output);
                }
            }
            first += samples;
        }
    }
}
