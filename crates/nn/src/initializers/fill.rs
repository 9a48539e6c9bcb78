//! Drawing the values.

use maobi_kernels::rng::Stream;

use super::{Distribution, FanMode, Initializer};

/// The deviation of a unit normal cut at ±2, by which Keras' VarianceScaling divides.
const TRUNCATED_DEVIATION: f64 = 0.879_625_661_034_239_8;

/// The counter word that keeps weight draws apart from dropout masks and shuffles under the same seed.
const INITIALIZER_LAYER: u64 = u64::MAX - 1;

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

impl Initializer {
    /// Fills a weight of the given shape, row-major.
    ///
    /// `seed` is the caller's, the model's seed mixed with the weight's index; a seed in the configuration wins over it.
    ///
    /// # Panics
    /// When `out` does not have the length of the shape.
    pub fn fill(&self, shape: &[usize], seed: u64, out: &mut [f32]) {
        assert_eq!(out.len(), shape.iter().product::<usize>(), "the values of a weight of shape {shape:?}");
        let draw = |own: Option<i64>| Stream::new(own.map_or(seed, |own| own as u64), 0, INITIALIZER_LAYER, 0);
        match *self {
            Initializer::Zeros => out.fill(0.0),
            Initializer::Ones => out.fill(1.0),
            Initializer::Constant { value } => out.fill(value),
            Initializer::RandomNormal { mean, stddev, seed } => {
                draw(seed).fill_normal(0, out);
                affine(out, stddev, mean);
            }
            Initializer::TruncatedNormal { mean, stddev, seed } => {
                draw(seed).fill_truncated_normal(0, out);
                affine(out, stddev, mean);
            }
            Initializer::RandomUniform { minval, maxval, seed } => {
                draw(seed).fill_uniform(0, out);
                affine(out, maxval - minval, minval);
            }
            Initializer::VarianceScaling { scale, mode, distribution, seed } => {
                scaled(&draw(seed), shape, f64::from(scale), mode, distribution, out);
            }
            Initializer::GlorotUniform { seed } => {
                scaled(&draw(seed), shape, 1.0, FanMode::FanAvg, Distribution::Uniform, out);
            }
            Initializer::GlorotNormal { seed } => {
                scaled(&draw(seed), shape, 1.0, FanMode::FanAvg, Distribution::TruncatedNormal, out);
            }
            Initializer::HeUniform { seed } => {
                scaled(&draw(seed), shape, 2.0, FanMode::FanIn, Distribution::Uniform, out);
            }
            Initializer::HeNormal { seed } => {
                scaled(&draw(seed), shape, 2.0, FanMode::FanIn, Distribution::TruncatedNormal, out);
            }
            Initializer::LecunUniform { seed } => {
                scaled(&draw(seed), shape, 1.0, FanMode::FanIn, Distribution::Uniform, out);
            }
            Initializer::LecunNormal { seed } => {
                scaled(&draw(seed), shape, 1.0, FanMode::FanIn, Distribution::TruncatedNormal, out);
            }
        }
    }
}

/// VarianceScaling: variance `scale` / max(1, fan).
fn scaled(stream: &Stream, shape: &[usize], scale: f64, mode: FanMode, distribution: Distribution, out: &mut [f32]) {
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
            affine(out, (variance.sqrt() / TRUNCATED_DEVIATION) as f32, 0.0);
        }
        Distribution::UntruncatedNormal => {
            stream.fill_normal(0, out);
            affine(out, variance.sqrt() as f32, 0.0);
        }
        Distribution::Uniform => {
            let limit = (3.0 * variance).sqrt() as f32;
            stream.fill_uniform(0, out);
            affine(out, 2.0 * limit, -limit);
        }
    }
}

/// out ← out·scale + shift.
fn affine(out: &mut [f32], scale: f32, shift: f32) {
    for value in out {
        *value = *value * scale + shift;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(initializer: &Initializer, shape: &[usize]) -> Vec<f32> {
        let mut out = vec![f32::NAN; shape.iter().product()];
        initializer.fill(shape, 1, &mut out);
        out
    }

    fn moments(values: &[f32]) -> (f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        (mean, values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n)
    }

    #[test]
    fn fans_as_keras_counts_them() {
        assert_eq!(compute_fans(&[]), (1, 1));
        assert_eq!(compute_fans(&[7]), (7, 7));
        assert_eq!(compute_fans(&[784, 10]), (784, 10));
        assert_eq!(compute_fans(&[5, 5, 32, 64]), (800, 1600));
    }

    #[test]
    fn variances_and_bounds() {
        use Initializer as I;
        // [3, 3, 32, 64]: fans 288 and 576. Bounds in units of the value's own formula; 18,432 draws keep the
        // sample variance within 3 % (three deviations: sqrt(2/18432)·3 = 3.1 % for a normal, less when cut).
        let shape = [3, 3, 32, 64];
        let cut = 2.0 / TRUNCATED_DEVIATION;
        for (initializer, variance, bound) in [
            (I::GlorotUniform { seed: None }, 1.0 / 432.0, (3.0f64 / 432.0).sqrt()),
            (I::GlorotNormal { seed: None }, 1.0 / 432.0, cut * (1.0f64 / 432.0).sqrt()),
            (I::HeUniform { seed: None }, 2.0 / 288.0, (6.0f64 / 288.0).sqrt()),
            (I::HeNormal { seed: None }, 2.0 / 288.0, cut * (2.0f64 / 288.0).sqrt()),
            (I::LecunUniform { seed: None }, 1.0 / 288.0, (3.0f64 / 288.0).sqrt()),
            (I::LecunNormal { seed: None }, 1.0 / 288.0, cut * (1.0f64 / 288.0).sqrt()),
            (I::RandomUniform { minval: -0.5, maxval: 0.5, seed: None }, 1.0 / 12.0, 0.5),
            (I::RandomNormal { mean: 0.0, stddev: 0.1, seed: None }, 0.01, 0.1 * 5.5),
            // The cut without rescaling keeps 0.7737 of the variance.
            (I::truncated_normal(0.0, 0.1), 0.01 * TRUNCATED_DEVIATION.powi(2), 0.2),
        ] {
            let values = draw(&initializer, &shape);
            let (mean, got) = moments(&values);
            assert!((got / variance - 1.0).abs() < 0.035, "{initializer:?}: variance {got}, expected {variance}");
            // Four deviations of the mean of 18,432 draws.
            assert!(mean.abs() < 4.0 * (variance / values.len() as f64).sqrt(), "{initializer:?}: mean {mean}");
            let largest = values.iter().fold(0.0f64, |m, v| m.max(f64::from(v.abs())));
            assert!(largest <= bound * (1.0 + 1e-6), "{initializer:?}: {largest} beyond {bound}");
            assert!(largest > bound * 0.5, "{initializer:?}: {largest} never comes near {bound}");
        }
    }

    #[test]
    fn means_are_added_after_scaling() {
        let values = draw(&Initializer::truncated_normal(3.0, 0.1), &[4000]);
        assert!(values.iter().all(|v| (2.8 - 1e-6..=3.2 + 1e-6).contains(v)));
    }

    #[test]
    fn a_seed_of_its_own_wins() {
        let initializer = Initializer::glorot_uniform();
        let (mut a, mut b) = ([0.0; 64], [0.0; 64]);
        initializer.fill(&[8, 8], 1, &mut a);
        initializer.fill(&[8, 8], 2, &mut b);
        assert_ne!(a, b);
        let seeded = initializer.seed(5);
        seeded.fill(&[8, 8], 1, &mut a);
        seeded.fill(&[8, 8], 2, &mut b);
        assert_eq!(a, b);
    }

    #[test]
    fn constants() {
        assert_eq!(draw(&Initializer::Zeros, &[2, 2]), [0.0; 4]);
        assert_eq!(draw(&Initializer::Ones, &[3]), [1.0; 3]);
        assert_eq!(draw(&Initializer::constant(0.1), &[2]), [0.1; 2]);
    }
}
