//! How weights start: Keras' initialisers (keras/src/initializers), names, defaults and formulas.
//!
//! The numbers come from a counter generator, so they depend on the seed and the position alone, not on Keras' own generator:
//! the distributions agree with Keras, the draws do not.

mod fill;
mod serde;

pub use fill::compute_fans;

/// Which fan a variance is scaled by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FanMode {
    /// The number of inputs of a unit (`"fan_in"`).
    FanIn,
    /// The number of outputs of a unit (`"fan_out"`).
    FanOut,
    /// Their mean (`"fan_avg"`).
    FanAvg,
}

/// The distribution [`Initializer::VarianceScaling`] draws from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// Normal, cut at two deviations, widened so that the variance after the cut is the one asked for.
    TruncatedNormal,
    /// Normal.
    UntruncatedNormal,
    /// Uniform in ±√(3·variance).
    Uniform,
}

/// The starting values of one weight.
///
/// `seed: None` takes the seed that the caller of [`Initializer::fill`] passes; a seed in the configuration wins.
#[derive(Clone, Debug, PartialEq)]
pub enum Initializer {
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
    /// All `value`.
    Constant {
        /// The value; default 0.
        value: f32,
    },
    /// Normal.
    RandomNormal {
        /// Default 0.
        mean: f32,
        /// Default 0.05.
        stddev: f32,
        /// Overrides the caller's seed.
        seed: Option<i64>,
    },
    /// Normal, drawn anew beyond two deviations. Not rescaled: the deviation that remains is 0.88·stddev.
    TruncatedNormal {
        /// Default 0.
        mean: f32,
        /// Of the normal before the cut; default 0.05.
        stddev: f32,
        /// Overrides the caller's seed.
        seed: Option<i64>,
    },
    /// Uniform in [minval, maxval).
    RandomUniform {
        /// Default −0.05.
        minval: f32,
        /// Default 0.05.
        maxval: f32,
        /// Overrides the caller's seed.
        seed: Option<i64>,
    },
    /// Variance `scale` / fan.
    VarianceScaling {
        /// Positive; default 1.
        scale: f32,
        /// Default fan-in.
        mode: FanMode,
        /// Default truncated normal.
        distribution: Distribution,
        /// Overrides the caller's seed.
        seed: Option<i64>,
    },
    /// Uniform in ±√(6 / (fan_in + fan_out)): Keras' default for kernels.
    GlorotUniform {
        /// Overrides the caller's seed.
        seed: Option<i64>,
    },
    /// Truncated normal of variance 2 / (fan_in + fan_out).
    GlorotNormal {
        /// Overrides the caller's seed.
        seed: Option<i64>,
    },
    /// Uniform in ±√(6 / fan_in).
    HeUniform {
        /// Overrides the caller's seed.
        seed: Option<i64>,
    },
    /// Truncated normal of variance 2 / fan_in.
    HeNormal {
        /// Overrides the caller's seed.
        seed: Option<i64>,
    },
    /// Uniform in ±√(3 / fan_in).
    LecunUniform {
        /// Overrides the caller's seed.
        seed: Option<i64>,
    },
    /// Truncated normal of variance 1 / fan_in.
    LecunNormal {
        /// Overrides the caller's seed.
        seed: Option<i64>,
    },
}

impl Initializer {
    /// All `value`.
    pub fn constant(value: f32) -> Initializer {
        Initializer::Constant { value }
    }

    /// Glorot's uniform, seeded by the model.
    pub fn glorot_uniform() -> Initializer {
        Initializer::GlorotUniform { seed: None }
    }

    /// He's normal, seeded by the model.
    pub fn he_normal() -> Initializer {
        Initializer::HeNormal { seed: None }
    }

    /// A normal cut at two deviations, seeded by the model.
    pub fn truncated_normal(mean: f32, stddev: f32) -> Initializer {
        Initializer::TruncatedNormal { mean, stddev, seed: None }
    }

    /// The same with a seed of its own; no change where nothing is drawn.
    pub fn seed(mut self, value: i64) -> Initializer {
        match &mut self {
            Initializer::Zeros | Initializer::Ones | Initializer::Constant { .. } => {}
            Initializer::RandomNormal { seed, .. }
            | Initializer::TruncatedNormal { seed, .. }
            | Initializer::RandomUniform { seed, .. }
            | Initializer::VarianceScaling { seed, .. }
            | Initializer::GlorotUniform { seed }
            | Initializer::GlorotNormal { seed }
            | Initializer::HeUniform { seed }
            | Initializer::HeNormal { seed }
            | Initializer::LecunUniform { seed }
            | Initializer::LecunNormal { seed } => *seed = Some(value),
        }
        self
    }
}
