//! What is computed in which order, and which values share memory.

use crate::error::Result;
use crate::graph::{Graph, build};
use crate::layers::{Shape, WeightSpec};
use crate::op::{Backward, Forward, Op, Scope};
use maobi_kernels::round::Half;
use std::ops::Range;

/// One op with its place in the model.
#[derive(Debug)]
pub(crate) struct PlanStep {
    pub(crate) op: Box<dyn Op>,
    /// Slots of the inputs.
    pub(crate) inputs: Vec<usize>,
    /// Slot of the output.
    pub(crate) output: usize,
    /// Indices of the model's weights.
    pub(crate) weights: Vec<usize>,
    /// What the weights are rounded to before they are read.
    pub(crate) reads: Option<Half>,
}

/// Steps that run without meeting: one op of batch scope, or a run of ops of samples scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) steps: Range<usize>,
    pub(crate) scope: Scope,
}

/// The lowered graph. A slot is memory for one value of every sample.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<PlanStep>,
    pub(crate) segments: Vec<Segment>,
    /// Values per sample of each slot.
    pub(crate) slots: Vec<usize>,
    /// What the values of each slot, and their gradients, are rounded to.
    pub(crate) halves: Vec<Option<Half>>,
    /// Whether anything is rounded.
    pub(crate) mixed: bool,
    /// Slots where samples enter.
    pub(crate) inputs: Vec<usize>,
    /// Slots of the model's outputs.
    pub(crate) outputs: Vec<usize>,
    /// Per node of the graph, the slot of its value.
    pub(crate) nodes: Vec<usize>,
}

/// The weights that a layer of the graph declares.
pub(crate) struct LayerWeights {
    pub(crate) layer: usize,
    pub(crate) specs: Vec<WeightSpec>,
}

impl Plan {
    /// Lowers a graph; the layers' weights are numbered in the order of the layers.
    pub(crate) fn new(graph: &Graph) -> Result<(Plan, Vec<LayerWeights>)> {
        let mut weights: Vec<LayerWeights> = Vec::new();
        let mut first_weight: Vec<Option<usize>> = vec![None; graph.layers.len()];
        let mut total = 0;
        let mixed = (0..graph.layers.len()).any(|layer| graph.precision_of(layer).half().is_some());
        let mut plan = Plan {
            steps: vec![],
            segments: vec![],
            slots: vec![],
            halves: vec![],
            mixed,
            inputs: vec![],
            outputs: vec![],
            nodes: vec![],
        };
        let mut slot_of: Vec<usize> = Vec::with_capacity(graph.nodes.len());
        for (index, node) in graph.nodes.iter().enumerate() {
            let layer = &graph.layers[node.layer];
            let shapes: Vec<Shape> = node.inputs.iter().map(|&n| graph.nodes[n].shape.clone()).collect();
            let built = build(&*layer.layer, &layer.name, &shapes)?;
            let base = *first_weight[node.layer].get_or_insert_with(|| {
                let start = total;
                total += built.weights.len();
                weights.push(LayerWeights { layer: node.layer, specs: built.weights });
                start
            });
            let mut inputs: Vec<usize> = node.inputs.iter().map(|&n| slot_of[n]).collect();
            let half = graph.precision_of(node.layer).half();
            if inputs.is_empty() {
                inputs.push(plan.slot(&node.shape, consumers_half(graph, index)));
            } else if half.is_some() {
                inputs.iter_mut().for_each(|slot| *slot = plan.cast(*slot, half));
            }
            for step in built.steps {
                let output = if step.op.is_view() { inputs[0] } else { plan.slot(&step.output, half) };
                if !step.op.is_view() {
                    let weights = step.weights.iter().map(|w| base + w).collect();
                    let reads = half.filter(|_| !step.op.reads_f32_weights());
                    plan.steps.push(PlanStep { op: step.op, inputs, output, weights, reads });
                }
                inputs = vec![output];
            }
            slot_of.push(inputs[0]);
        }
        plan.inputs = graph.inputs.iter().map(|&n| slot_of[n]).collect();
        plan.outputs = graph.outputs.iter().map(|&n| slot_of[n]).collect();
        plan.nodes = slot_of;
        plan.keep_probabilities();
        plan.segments = segments(&plan.steps);
        Ok((plan, weights))
    }

    fn slot(&mut self, shape: &[usize], half: Option<Half>) -> usize {
        self.slots.push(shape.iter().product());
        self.halves.push(half);
        self.slots.len() - 1
    }

    /// The slot itself where its values are `half` already, otherwise one with rounded copies.
    fn cast(&mut self, slot: usize, half: Option<Half>) -> usize {
        if self.halves[slot] == half {
            return slot;
        }
        let output = self.slot(&[self.slots[slot]], half);
        self.steps.push(PlanStep { op: Box::new(CastOp), inputs: vec![slot], output, weights: vec![], reads: None });
        output
    }

    /// Probabilities that end the model stay f32: losses and users read them.
    fn keep_probabilities(&mut self) {
        for &slot in &self.outputs {
            let ends = self.steps.iter().all(|s| !s.inputs.contains(&slot));
            if ends && self.steps.iter().any(|s| s.output == slot && s.op.logits().is_some()) {
                self.halves[slot] = None;
            }
        }
    }

    /// Samples of a lane that go through a segment together, so that what they leave stays in the cache.
    pub(crate) fn group(&self, segment: &Segment) -> usize {
        // A 1 MiB L2, in f32.
        const CACHE: usize = (1 << 20) / 4;
        let per_sample: usize =
            self.steps[segment.steps.clone()].iter().map(|s| self.slots[s.output] + self.slots[s.inputs[0]]).sum();
        (CACHE / per_sample.max(1)).max(1)
    }
}

/// What an input is rounded to as it enters: the one policy of all layers that take it, if they agree.
fn consumers_half(graph: &Graph, node: usize) -> Option<Half> {
    let mut halves = graph.nodes.iter().filter(|n| n.inputs.contains(&node)).map(|n| graph.precision_of(n.layer).half());
    let first = halves.next()?;
    first.filter(|_| !graph.outputs.contains(&node) && halves.all(|half| half == first))
}

fn segments(steps: &[PlanStep]) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::new();
    for (i, step) in steps.iter().enumerate() {
        let scope = step.op.scope();
        match segments.last_mut() {
            Some(last) if scope == Scope::Samples && last.scope == Scope::Samples => last.steps.end = i + 1,
            _ => segments.push(Segment { steps: i..i + 1, scope }),
        }
    }
    segments
}

/// Where a layer takes a value of another policy: a copy, which the walk rounds.
#[derive(Debug)]
struct CastOp;

impl Op for CastOp {
    fn forward(&self, c: Forward<'_>) {
        c.output.copy_from_slice(c.inputs[0]);
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            dx.copy_from_slice(c.d_output);
        }
    }
}
