//! The backward walk, after a training forward and the losses' gradients.

use super::forward::Walk;
use super::plan::Segment;
use super::training_plan::{GradientPlace, InputGradient, TrainingPlan, WeightPlace};
use super::{Guards, Slices, Workspace, round_on};
use crate::op::{Backward, Scope, WeightGradient};
use maobi_kernels::memory::{Buffer, RefMut};
use maobi_kernels::pointwise;
use smallvec::SmallVec;

/// Elements that one task adds up over the lanes.
const REDUCE_CHUNK: usize = 8192;

type Outputs<'a> = SmallVec<[Option<&'a mut [f32]>; 4]>;
type WeightOutputs<'a> = SmallVec<[Option<WeightGradient<'a>>; 4]>;

impl Workspace {
    /// Leaves every trainable weight's gradient in `gradients`.
    pub(crate) fn backward(&self, walk: Walk<'_>, training: &TrainingPlan, gradients: &[Buffer]) {
        for segment in walk.plan.segments.iter().rev() {
            if segment.steps.clone().all(|i| training.skip[i]) {
                continue;
            }
            match segment.scope {
                Scope::Batch => self.backward_batch(walk, training, segment.steps.start, gradients),
                Scope::Samples => self.over_lanes(walk.pool, self.segment_values(walk.plan, segment), &|worker, lane| {
                    self.backward_lane(walk, training, segment, worker, lane);
                }),
            }
        }
        self.reduce(walk, training, gradients);
    }

    fn backward_batch(&self, walk: Walk<'_>, training: &TrainingPlan, index: usize, gradients: &[Buffer]) {
        let plan = walk.plan;
        let step = &plan.steps[index];
        let guards: Guards<'_> = step.inputs.iter().map(|&s| self.values[s].whole()).collect();
        let inputs: Slices<'_> = guards.iter().map(|g| &**g).collect();
        let mut shared = self.shared_batch.whole_mut();
        let mut shared_rest: &mut [f32] = &mut shared;
        let mut direct: SmallVec<[(usize, RefMut<'_>); 4]> = SmallVec::new();
        for (&slot, place) in step.inputs.iter().zip(&training.inputs[index]) {
            if *place == InputGradient::Overwrite {
                direct.push((slot, self.gradients[slot].whole_mut()));
            }
        }
        let mut weight_guards: SmallVec<[Option<RefMut<'_>>; 4]> = step
            .weights
            .iter()
            .zip(&training.weights[index])
            .map(|(&w, place)| (*place != WeightPlace::Frozen).then(|| gradients[w].whole_mut()))
            .collect();
        let mut direct_iter = direct.iter_mut();
        let mut d_inputs: Outputs<'_> = SmallVec::new();
        for (&slot, place) in step.inputs.iter().zip(&training.inputs[index]) {
            d_inputs.push(match place {
                InputGradient::Skip => None,
                InputGradient::Overwrite => direct_iter.next().map(|(_, g)| &mut **g),
                InputGradient::Accumulate => {
                    let (own, rest) = std::mem::take(&mut shared_rest).split_at_mut(plan.slots[slot] * self.batch);
                    shared_rest = rest;
                    Some(own)
                }
            });
        }
        let mut d_weights: WeightOutputs<'_> = weight_guards
            .iter_mut()
            .zip(&training.weights[index])
            .map(|(guard, place)| {
                guard.as_mut().map(|g| WeightGradient { data: g, accumulate: *place == WeightPlace::Direct { accumulate: true } })
            })
            .collect();
        step.op.backward(Backward {
            samples: self.batch,
            first: 0,
            random: walk.random(index),
            inputs: &inputs,
            output: &self.values[step.output].whole(),
            weights: &walk.weights.of(step),
            packed: &self.packed[index].whole(),
            saved: &self.saved[index].whole(),
            d_output: &mut self.gradients[step.output].whole_mut(),
            d_inputs: &mut d_inputs,
            d_weights: &mut d_weights,
            scratch: &mut self.scratch.part_mut(0)[..step.op.scratch_len()],
            pool: walk.pool,
        });
        drop((d_inputs, d_weights));
        drop(direct);
        let mut offset = 0;
        for (&slot, place) in step.inputs.iter().zip(&training.inputs[index]) {
            if *place == InputGradient::Accumulate {
                let len = plan.slots[slot] * self.batch;
                pointwise::add_assign(&mut self.gradients[slot].whole_mut(), &shared[offset..offset + len]);
                offset += len;
            }
            if let (Some(half), true) = (plan.halves[slot], *place != InputGradient::Skip) {
                round_on(walk.pool, half, &mut self.gradients[slot].whole_mut());
            }
        }
    }

    fn backward_lane(&self, walk: Walk<'_>, training: &TrainingPlan, segment: &Segment, worker: usize, lane: usize) {
        let range = self.lane(lane);
        let group = walk.plan.group(segment);
        let mut scratch = self.scratch.part_mut(worker);
        let mut partials = self.partials.part_mut(lane);
        let mut first = range.start;
        while first < range.end {
            let samples = group.min(range.end - first);
            for index in segment.steps.clone().rev().filter(|&i| !training.skip[i]) {
                let call = Group { index, worker, lane, first, at: first - range.start, samples };
                self.backward_step(walk, training, call, &mut scratch, &mut partials);
            }
            first += samples;
        }
    }

    fn backward_step(&self, walk: Walk<'_>, training: &TrainingPlan, g: Group, scratch: &mut [f32], partials: &mut [f32]) {
        let plan = walk.plan;
        let step = &plan.steps[g.index];
        let span = |slot: usize| g.at * plan.slots[slot]..(g.at + g.samples) * plan.slots[slot];
        let guards: Guards<'_> = step.inputs.iter().map(|&s| self.values[s].part(g.lane)).collect();
        let inputs: Slices<'_> = guards.iter().zip(&step.inputs).map(|(v, &s)| &v[span(s)]).collect();
        let output = self.values[step.output].part(g.lane);
        let mut d_output = self.gradient_part(training, step.output, &g);
        let mut shared = self.shared.part_mut(g.worker);
        let mut shared_rest: &mut [f32] = &mut shared;

        let places = &training.inputs[g.index];
        let mut direct: SmallVec<[RefMut<'_>; 4]> = step
            .inputs
            .iter()
            .zip(places)
            .filter(|(_, p)| **p == InputGradient::Overwrite)
            .map(|(&s, _)| self.gradient_part(training, s, &g))
            .collect();
        let mut direct_iter = direct.iter_mut();
        let mut d_inputs: Outputs<'_> = SmallVec::new();
        for (&slot, place) in step.inputs.iter().zip(places) {
            d_inputs.push(match place {
                InputGradient::Skip => None,
                InputGradient::Overwrite => {
                    direct_iter.next().map(|d| &mut d[self.gradient_span(training, slot, plan.slots[slot], &g)])
                }
                InputGradient::Accumulate => {
                    let (own, rest) = std::mem::take(&mut shared_rest).split_at_mut(plan.slots[slot] * g.samples);
                    shared_rest = rest;
                    Some(own)
                }
            });
        }

        // Weights of a step lie at ascending offsets: cut the lane's sums at them.
        let mut rest: &mut [f32] = partials;
        let mut start = 0;
        let mut d_weights: WeightOutputs<'_> = SmallVec::new();
        let weights = walk.weights.of(step);
        for (place, weight) in training.weights[g.index].iter().zip(&weights) {
            d_weights.push(match *place {
                WeightPlace::Partial { offset, accumulate } => {
                    let (_, tail) = std::mem::take(&mut rest).split_at_mut(offset - start);
                    let (data, tail) = tail.split_at_mut(weight.len());
                    (rest, start) = (tail, offset + weight.len());
                    Some(WeightGradient { data, accumulate: accumulate || g.at > 0 })
                }
                WeightPlace::Frozen | WeightPlace::Direct { .. } => None,
            });
        }
        step.op.backward(Backward {
            samples: g.samples,
            first: g.first,
            random: walk.random(g.index),
            inputs: &inputs,
            output: &output[span(step.output)],
            weights: &weights,
            packed: &self.packed[g.index].whole(),
            saved: &[],
            d_output: &mut d_output[self.gradient_span(training, step.output, plan.slots[step.output], &g)],
            d_inputs: &mut d_inputs,
            d_weights: &mut d_weights,
            scratch: &mut scratch[..step.op.scratch_len()],
            pool: walk.pool,
        });
        drop((d_inputs, d_weights));
        drop(direct);
        let mut offset = 0;
        for (&slot, place) in step.inputs.iter().zip(places) {
            if *place == InputGradient::Accumulate {
                let len = plan.slots[slot] * g.samples;
                let mut target = self.gradient_part(training, slot, &g);
                let span = self.gradient_span(training, slot, plan.slots[slot], &g);
                pointwise::add_assign(&mut target[span], &shared[offset..offset + len]);
                offset += len;
            }
            if let (Some(half), true) = (plan.halves[slot], *place != InputGradient::Skip) {
                let span = self.gradient_span(training, slot, plan.slots[slot], &g);
                half.round(&mut self.gradient_part(training, slot, &g)[span]);
            }
        }
    }

    fn gradient_part(&self, training: &TrainingPlan, slot: usize, g: &Group) -> RefMut<'_> {
        self.gradients[slot].part_mut(if training.places[slot] == GradientPlace::Worker { g.worker } else { g.lane })
    }

    fn gradient_span(&self, training: &TrainingPlan, slot: usize, len: usize, g: &Group) -> std::ops::Range<usize> {
        let at = if training.places[slot] == GradientPlace::Worker { 0 } else { g.at };
        at * len..(at + g.samples) * len
    }

    /// Adds the lanes' partial sums up, in the order of the lanes.
    fn reduce(&self, walk: Walk<'_>, training: &TrainingPlan, gradients: &[Buffer]) {
        if training.partial_len == 0 {
            return;
        }
        let lanes: SmallVec<[_; super::MAX_LANES]> = (0..self.lanes()).map(|l| self.partials.part(l)).collect();
        for &(weight, offset) in &training.partials {
            let mut sum = gradients[weight].whole_mut();
            let len = sum.len();
            if len < 2 * REDUCE_CHUNK {
                add_lanes(&lanes, offset, &mut sum);
            } else {
                walk.pool.for_each_chunk(&mut sum, REDUCE_CHUNK, &|i, chunk| add_lanes(&lanes, offset + i * REDUCE_CHUNK, chunk));
            }
        }
    }
}

fn add_lanes(lanes: &[maobi_kernels::memory::Ref<'_>], offset: usize, sum: &mut [f32]) {
    sum.copy_from_slice(&lanes[0][offset..offset + sum.len()]);
    for lane in &lanes[1..] {
        pointwise::add_assign(sum, &lane[offset..offset + sum.len()]);
    }
}

/// The samples that a worker is at.
#[derive(Clone, Copy)]
struct Group {
    index: usize,
    worker: usize,
    lane: usize,
    /// First sample in the batch.
    first: usize,
    /// First sample in the lane.
    at: usize,
    samples: usize,
}
