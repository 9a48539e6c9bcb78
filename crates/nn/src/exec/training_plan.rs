//! What backward needs beyond the forward plan.

use super::plan::Plan;
use crate::op::{Logits, Scope};

/// Where the gradient of a slot lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GradientPlace {
    /// Nobody needs it.
    Nowhere,
    /// For the whole batch: it crosses segments.
    Batch,
    /// For the group a worker is at: it is made and used within one segment.
    Worker,
}

/// What backward writes for one input of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputGradient {
    /// Nobody needs it.
    Skip,
    /// First to arrive.
    Overwrite,
    /// Another consumer of the same value came before.
    Accumulate,
}

/// Where a loss reads and where its gradient goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LossPlace {
    /// Slot whose gradient the loss makes: the output, or the logits before it.
    pub(crate) slot: usize,
    /// Set when that slot holds logits.
    pub(crate) logits: Option<Logits>,
}

/// Gradient of one weight within a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WeightPlace {
    /// The weight is frozen.
    Frozen,
    /// Straight into the weight's gradient (batch scope).
    Direct {
        /// Another step with the same weight came before.
        accumulate: bool,
    },
    /// Into the lane's partial sums, at this offset.
    Partial {
        /// Start in the lane's partial sums.
        offset: usize,
        /// Another step with the same weight came before in this pass.
        accumulate: bool,
    },
}

/// Decisions for backward, fixed at compile time.
#[derive(Debug)]
pub(crate) struct TrainingPlan {
    pub(crate) places: Vec<GradientPlace>,
    /// Per step and input.
    pub(crate) inputs: Vec<Vec<InputGradient>>,
    /// Per step and weight.
    pub(crate) weights: Vec<Vec<WeightPlace>>,
    /// Steps that backward does not run: a loss took over, or nothing before them needs a gradient.
    pub(crate) skip: Vec<bool>,
    pub(crate) losses: Vec<LossPlace>,
    /// Length of a lane's partial sums.
    pub(crate) partial_len: usize,
    /// (weight, offset) of every weight whose gradient is summed over lanes.
    pub(crate) partials: Vec<(usize, usize)>,
    /// Longest slot that several consumers or losses add to, in values per sample.
    pub(crate) shared_len: usize,
}

impl TrainingPlan {
    /// `trainable` and `lengths` per weight; `wants` says for each output whether its loss can read logits of that kind.
    pub(crate) fn new(plan: &Plan, trainable: &[bool], lengths: &[usize], wants: impl Fn(usize, Logits) -> bool) -> TrainingPlan {
        let n = plan.steps.len();
        let mut needs = vec![false; plan.slots.len()];
        let mut skip = vec![false; n];
        for (i, step) in plan.steps.iter().enumerate() {
            let any = step.weights.iter().any(|&w| trainable[w]) || step.inputs.iter().any(|&s| needs[s]);
            needs[step.output] = any;
            skip[i] = !any;
        }
        let losses: Vec<LossPlace> = (0..plan.outputs.len()).map(|o| loss_place(plan, o, &wants, &mut skip)).collect();

        let segment_of = |step: usize| plan.segments.iter().position(|s| s.steps.contains(&step)).unwrap_or(0);
        let mut home: Vec<Option<usize>> = vec![None; plan.slots.len()];
        let mut crosses = vec![false; plan.slots.len()];
        for (i, step) in plan.steps.iter().enumerate() {
            let segment = segment_of(i);
            let batch = plan.segments[segment].scope == Scope::Batch;
            for &slot in step.inputs.iter().chain([&step.output]) {
                crosses[slot] |= batch || *home[slot].get_or_insert(segment) != segment;
            }
        }
        for loss in &losses {
            crosses[loss.slot] = true;
        }
        let places = (0..plan.slots.len())
            .map(|s| match (needs[s], crosses[s]) {
                (false, _) => GradientPlace::Nowhere,
                (true, true) => GradientPlace::Batch,
                (true, false) => GradientPlace::Worker,
            })
            .collect();

        let mut seen = vec![false; plan.slots.len()];
        let mut shared_len = 0;
        for loss in &losses {
            if std::mem::replace(&mut seen[loss.slot], true) {
                shared_len = shared_len.max(plan.slots[loss.slot]);
            }
        }
        let mut offset_of: Vec<Option<usize>> = vec![None; trainable.len()];
        let mut direct_seen = vec![false; trainable.len()];
        let (mut partial_len, mut partials) = (0, Vec::new());
        let mut inputs = vec![Vec::new(); n];
        let mut weights = vec![Vec::new(); n];
        for (i, step) in plan.steps.iter().enumerate().rev() {
            if skip[i] {
                inputs[i] = vec![InputGradient::Skip; step.inputs.len()];
                weights[i] = vec![WeightPlace::Frozen; step.weights.len()];
                continue;
            }
            for &slot in &step.inputs {
                inputs[i].push(match (needs[slot], seen[slot]) {
                    (false, _) => InputGradient::Skip,
                    (true, false) => InputGradient::Overwrite,
                    (true, true) => InputGradient::Accumulate,
                });
                if needs[slot] && seen[slot] {
                    shared_len = shared_len.max(plan.slots[slot]);
                }
                seen[slot] = true;
            }
            for &w in &step.weights {
                weights[i].push(if !trainable[w] {
                    WeightPlace::Frozen
                } else if step.op.scope() == Scope::Batch {
                    WeightPlace::Direct { accumulate: std::mem::replace(&mut direct_seen[w], true) }
                } else if let Some(offset) = offset_of[w] {
                    WeightPlace::Partial { offset, accumulate: true }
                } else {
                    let offset = partial_len;
                    offset_of[w] = Some(offset);
                    partials.push((w, offset));
                    // Whole cache lines, so that neighbours do not share one.
                    partial_len += lengths[w].next_multiple_of(16);
                    WeightPlace::Partial { offset, accumulate: false }
                });
            }
        }
        TrainingPlan { places, inputs, weights, skip, losses, partial_len, partials, shared_len }
    }
}

/// Moves a loss before the softmax or sigmoid that makes its probabilities, where nobody else uses them.
fn loss_place(plan: &Plan, output: usize, wants: &impl Fn(usize, Logits) -> bool, skip: &mut [bool]) -> LossPlace {
    let slot = plan.outputs[output];
    let producer = plan.steps.iter().position(|s| s.output == slot);
    let alone = plan.steps.iter().all(|s| !s.inputs.contains(&slot)) && plan.outputs.iter().filter(|&&o| o == slot).count() == 1;
    if let Some(i) = producer
        && let Some(logits) = plan.steps[i].op.logits()
        && alone
        && !skip[i]
        && wants(output, logits)
    {
        let before = plan.steps[i].inputs[0];
        let only_here = plan.steps.iter().filter(|s| s.inputs.contains(&before)).count() == 1 && !plan.outputs.contains(&before);
        if only_here {
            skip[i] = true;
            return LossPlace { slot: before, logits: Some(logits) };
        }
    }
    LossPlace { slot, logits: None }
}
