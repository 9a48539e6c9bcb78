//! How a batch runs through a model: the plan (what is computed in which order, into which memory), the workspace (the memory),
//! and the two walks over it.
//!
//! Steps of samples scope that follow each other form a segment. A segment runs lane by lane: the batch is cut into lanes whose
//! number depends on the batch size alone, a lane runs on one thread, and weight gradients are summed per lane and then over
//! lanes in order. So any number of threads gives the same bits.

mod backward;
mod feed;
mod forward;
mod halves;
mod plan;
mod training_plan;
mod workspace;

pub use feed::{Feed, Samples};
pub(crate) use forward::Walk;
pub(crate) use halves::{StepWeights, round_on};
pub(crate) use plan::Plan;
pub(crate) use training_plan::{GradientPlace, TrainingPlan};
pub(crate) use workspace::Workspace;

use maobi_kernels::memory::Ref;
use smallvec::SmallVec;

/// Read guards of a step's few inputs or weights.
pub(crate) type Guards<'a> = SmallVec<[Ref<'a>; 4]>;
/// The slices behind them.
pub(crate) type Slices<'a> = SmallVec<[&'a [f32]; 4]>;

/// Samples in a lane below which one more lane costs more than it gives.
const LANE_SAMPLES: usize = 4;
/// The most lanes: partial weight gradients are kept for each.
const MAX_LANES: usize = 16;

/// Number of lanes for a batch: a function of its size alone.
pub(crate) fn lanes(batch: usize) -> usize {
    (batch / LANE_SAMPLES).clamp(1, MAX_LANES)
}
