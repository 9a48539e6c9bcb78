//! `VarianceScaling`: values whose variance follows from the number of inputs or outputs of a unit.

use super::{InitializerFunction, Seed, scale_and_shift};
use crate::keras_object;
use crate::object::{range, words};
use maobi_kernels::rng::Stream;

words! {
    /// Which fan a variance is scaled by.
    pub enum FanMode {
        /// The number of inputs of a unit.
        FanIn = "fan_in",
        /// The number of outputs of a unit.
        FanOut = "fan_out",
        /// Their mean.
        FanAvg = "fan_avg",
    }
}

words! {
    /// The distribution that [`VarianceScaling`] draws from.
    pub enum Distribution {
        /// Normal, cut at two deviations, widened so that the variance after the cut is the one asked for.
        TruncatedNormal = "truncated_normal" | "normal",
        /// Normal.
        UntruncatedNormal = "untruncated_normal",
        /// Uniform in ±√(3·variance).
        Uniform = "uniform",
    }
}

keras_object! {
    /// Variance `scale` / fan.
    pub struct VarianceScaling("variance_scaling") {
        /// A seed of its own; the model's by default.
        seed: Seed = Seed(None),
        /// Positive; 1 by default.
        scale: f32 where range::POSITIVE = 1.0,
        /// Fan-in by default.
        mode: FanMode = FanMode::FanIn,
        /// Truncated normal by default.
        distribution: Distribution = Distribution::TruncatedNormal,
    } accepted { input_axes: [], output_axes: [] }
}

impl InitializerFunction for VarianceScaling {
    fn fill(&self, shape: &[usize], seed: u64, out: &mut [f32]) {
        fill_scaled(&self.seed.stream(seed), shape, f64::from(self.scale), self.mode, self.distribution, out);
    }
}

/// The deviation of a unit normal cut at ±2, by which Keras divides.
pub(super) const TRUNCATED_DEVIATION: f64 = 0.879_625_661_034_239_8;

/// The (fan_in, fan_out) of a weight shape (Keras' `compute_fans`).
///
/// Dense kernels `[in, out]` have (in, out); convolution kernels `[height, width, in, out]` multiply both by the receptive field;
/// a vector counts as both; a scalar has (1, 1).
pub fn compute_fans(shape: &[usize]) -> (usize, usize) {
    match *shape {
        [] => (1, 1),
        [n] => (n, n),
        [ref field @ .., fan_in, fan_out] => {
            let receptive: usize = field.iter().product();
            (fan_in * receptive, fan_out * receptive)
        }
    }
}

/// Draws with variance `scale` / max(1, fan).
pub(super) fn fill_scaled(
    stream: &Stream,
    shape: &[usize],
    scale: f64,
    mode: FanMode,
    distribution: Distribution,
    out: &mut [f32],
) {
    let (fan_in, fan_out) = compute_fans(shape);
    let fan = match mode {
        FanMode::FanIn => fan_in as f64,
        FanMode::FanOut => fan_out as f64,
        FanMode::FanAvg => (fan_in + fan_out) as f64 / 2.0,
    };
    let variance = scale / fan.max(1.0);
    match distribution {
        Distribution::TruncatedNormal => {
            stream.fill_truncated_normal(0, out);
            scale_and_shift(out, (variance.sqrt() / TRUNCATED_DEVIATION) as f32, 0.0);
        }
        Distribution::UntruncatedNormal => {
            stream.fill_normal(0, out);
            scale_and_shift(out, variance.sqrt() as f32, 0.0);
        }
        Distribution::Uniform => {
            let limit = (3.0 * variance).sqrt() as f32;
            stream.fill_uniform(0, out);
            scale_and_shift(out, 2.0 * limit, -limit);
        }
    }
}
