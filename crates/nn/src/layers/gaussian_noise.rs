//! `GaussianNoise`: in training, adds normal random numbers.

use super::{Built, Layer, Shape, single};
use crate::object::range;
use crate::op::{Backward, Forward, Op};

keras_layer! {
    /// In training x + noise of mean 0 and standard deviation `stddev`, another for each value; inference passes through.
    ///
    /// Keras file: `layers/regularization/gaussian_noise.py`.
    pub struct GaussianNoise("gaussian_noise") new(
        /// The standard deviation, from 0 to 1.
        stddev: f64 where range::SHARE,
    ) {
        /// Draws from this seed instead of the run's.
        seed: Option<u64> = None,
    }
}

impl Layer for GaussianNoise {
    fn acts_only_in_training(&self) -> bool {
        true
    }

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        if !(0.0..=1.0).contains(&self.stddev) {
            return Err(format!("stddev must lie in 0 to 1, got {}", self.stddev));
        }
        if self.stddev == 0.0 {
            return Ok(Built::default());
        }
        let op = GaussianNoiseOp { stddev: self.stddev as f32, seed: self.seed, values: shape.iter().product() };
        Ok(Built::op(op, shape.clone()))
    }
}

#[derive(Debug)]
struct GaussianNoiseOp {
    stddev: f32,
    seed: Option<u64>,
    /// Values of a sample.
    values: usize,
}

impl Op for GaussianNoiseOp {
    fn is_identity_in_inference(&self) -> bool {
        true
    }

    fn forward(&self, c: Forward<'_>) {
        if !c.training {
            c.output.copy_from_slice(c.inputs[0]);
            return;
        }
        let random = c.random.with_seed(self.seed);
        let samples = c.inputs[0].chunks_exact(self.values).zip(c.output.chunks_exact_mut(self.values));
        for (i, (x, y)) in samples.enumerate() {
            random.stream(c.first + i).fill_normal(0, y);
            y.iter_mut().zip(x).for_each(|(y, x)| *y = x + self.stddev * *y);
        }
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            dx.copy_from_slice(c.d_output);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{forward, forward_training};

    #[test]
    fn the_noise_has_the_mean_and_deviation_asked_for() {
        const N: usize = 100_000;
        let x = vec![3.0; 2 * N];
        let train = |layer: GaussianNoise, seed| forward_training(&layer, &[(&[N], &x)], seed);
        let y = train(GaussianNoise::new(0.5), 1);
        let mean = y.iter().map(|&v| f64::from(v)).sum::<f64>() / y.len() as f64;
        let variance = y.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / y.len() as f64;
        // Five standard errors: 0.5 / √200 000 of the mean, 0.25 · √(2 / 200 000) of the variance.
        assert!((mean - 3.0).abs() < 5.6e-3 && (variance - 0.25).abs() < 4e-3, "{mean}, {variance}");
        assert_ne!(y[..N], y[N..], "two samples have the same noise");
        assert_ne!(y, train(GaussianNoise::new(0.5), 2));
        assert_eq!(train(GaussianNoise::new(0.5).seed(7), 1), train(GaussianNoise::new(0.5).seed(7), 2));
        assert_eq!(forward(&GaussianNoise::new(0.5), &[(&[N], &x)]), x);
        assert!(GaussianNoise::new(1.5).build(&[vec![2]]).unwrap_err().contains("0 to 1"));
    }
}
