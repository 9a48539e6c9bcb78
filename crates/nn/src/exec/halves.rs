//! Mixed precision: what the walks round, and the weights as layers of a mixed policy read them.

use super::Slices;
use super::plan::{Plan, PlanStep};
use crate::model::Weight;
use maobi_kernels::memory::{Ref, Stamp};
use maobi_kernels::pool::Pool;
use maobi_kernels::round::Half;

/// Values that one task rounds.
const CHUNK: usize = 16_384;

/// Rounds `values` on all threads of `pool`; a single chunk where it lies.
pub(crate) fn round_on(pool: &Pool, half: Half, values: &mut [f32]) {
    pool.for_each_chunk(values, CHUNK, &|_, chunk| half.round(chunk));
}

/// The copies of weights that steps of a mixed policy read, kept from call to call.
#[derive(Debug, Default)]
pub(crate) struct HalfWeights {
    /// Per weight; empty where f32 is read.
    copies: Vec<Vec<f32>>,
    from: Vec<Stamp>,
}

impl HalfWeights {
    /// Rounds the weights that have changed; allocates at the first call only.
    pub(crate) fn refresh(&mut self, plan: &Plan, weights: &[Weight], pool: &Pool) {
        if !plan.mixed {
            return;
        }
        self.copies.resize(weights.len(), Vec::new());
        self.from.resize(weights.len(), Stamp::default());
        for step in &plan.steps {
            let Some(half) = step.reads else { continue };
            for &w in &step.weights {
                let now = weights[w].buffer().stamp();
                if std::mem::replace(&mut self.from[w], now) != now {
                    let copy = &mut self.copies[w];
                    copy.clear();
                    copy.extend_from_slice(&weights[w].values());
                    round_on(pool, half, copy);
                }
            }
        }
    }
}

/// The weights of a model as steps of a walk take them.
#[derive(Clone, Copy)]
pub(crate) struct StepWeights<'a> {
    /// Per weight, its values.
    pub(crate) values: &'a [Ref<'a>],
    /// What steps of a mixed policy read in their place.
    pub(crate) halves: &'a HalfWeights,
}

impl<'a> StepWeights<'a> {
    /// Those of one step, in the order of its layer.
    pub(crate) fn of(self, step: &PlanStep) -> Slices<'a> {
        let one = |&w: &usize| if step.reads.is_some() { self.halves.copies[w].as_slice() } else { &*self.values[w] };
        step.weights.iter().map(one).collect()
    }
}
