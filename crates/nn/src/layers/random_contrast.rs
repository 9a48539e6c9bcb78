//! `RandomContrast`: in training, spreads or narrows the values of each image.

use super::affine::Factor;
use super::arguments::ChannelsLast;
use super::value_range::ValueRange;
use super::{Built, Layer, Shape, image};
use crate::op::{Backward, Forward, Op, Random};

keras_layer! {
    /// (x − m) · c + m, m the mean of each channel of an image and c drawn for each image, cut to `value_range`. Inference passes through.
    ///
    /// Keras file: `layers/preprocessing/image_preprocessing/random_contrast.py`.
    pub struct RandomContrast("random_contrast") new(
        /// A number f, from 0 to 1: c is drawn from 1 to 1 + f, as in Keras 3.15. `[lower, upper]`: from 1 − lower to 1 + upper.
        factor: Factor,
    ) {
        /// The smallest and the largest value of a pixel; 0 and 255 by default.
        value_range: ValueRange = ValueRange(0.0, 255.0),
        /// Draws from this seed instead of the run's.
        seed: Option<u64> = None,
        /// Channels last, the one order there is.
        data_format: ChannelsLast = ChannelsLast,
    }
}

impl Layer for RandomContrast {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = image(inputs)?;
        let (low, high) = self.value_range.ends()?;
        let (lower, upper) = match self.factor {
            Factor::Around(f) => (0.0, f),
            Factor::Between(lower, upper) => (lower, upper),
        };
        if !(0.0..=1.0).contains(&lower) || !(0.0..=1.0).contains(&upper) {
            return Err(format!("factor must be a number or [lower, upper] between 0 and 1, got {}", self.factor));
        }
        let op = ContrastOp { shape, factor: ((1.0 - lower) as f32, (1.0 + upper) as f32), low, high, seed: self.seed };
        Ok(Built::op(op, shape.to_vec()))
    }

    fn acts_only_in_training(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct ContrastOp {
    shape: [usize; 3],
    factor: (f32, f32),
    low: f32,
    high: f32,
    seed: Option<u64>,
}

impl ContrastOp {
    fn contrast(&self, random: Random, sample: usize) -> f32 {
        random.between(self.seed, sample, self.factor)
    }

    /// The mean of a channel of some values of a sample.
    fn mean(&self, values: impl Iterator<Item = f32>) -> f32 {
        values.sum::<f32>() / (self.shape[0] * self.shape[1]) as f32
    }
}

impl Op for ContrastOp {
    fn is_identity_in_inference(&self) -> bool {
        true
    }

    fn forward(&self, c: Forward<'_>) {
        if !c.training {
            c.output.copy_from_slice(c.inputs[0]);
            return;
        }
        let (len, channels) = (self.shape.iter().product::<usize>(), self.shape[2]);
        for (i, (x, y)) in c.inputs[0].chunks_exact(len).zip(c.output.chunks_exact_mut(len)).enumerate() {
            let contrast = self.contrast(c.random, c.first + i);
            for channel in 0..channels {
                let pixels = || x.iter().skip(channel).step_by(channels).copied();
                let mean = self.mean(pixels());
                for (y, x) in y.iter_mut().skip(channel).step_by(channels).zip(pixels()) {
                    *y = ((x - mean) * contrast + mean).clamp(self.low, self.high);
                }
            }
        }
    }

    /// dx = c · g + (1 − c) · mean(g), g the gradient of the pixels that were not cut.
    fn backward(&self, c: Backward<'_, '_>) {
        let Some(dx) = &mut c.d_inputs[0] else { return };
        let (len, channels) = (self.shape.iter().product::<usize>(), self.shape[2]);
        for (i, (x, dx)) in c.inputs[0].chunks_exact(len).zip(dx.chunks_exact_mut(len)).enumerate() {
            let contrast = self.contrast(c.random, c.first + i);
            let dy = &c.d_output[i * len..(i + 1) * len];
            for channel in 0..channels {
                let pixels = || x.iter().skip(channel).step_by(channels).copied();
                let mean = self.mean(pixels());
                let inside = |x: f32| (self.low..=self.high).contains(&((x - mean) * contrast + mean));
                let gradient = || {
                    let dy = dy.iter().skip(channel).step_by(channels);
                    dy.zip(pixels()).map(|(dy, x)| if inside(x) { *dy } else { 0.0 })
                };
                let shared = (1.0 - contrast) * self.mean(gradient());
                for (dx, g) in dx.iter_mut().skip(channel).step_by(channels).zip(gradient()) {
                    *dx = contrast * g + shared;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{check_augmentation, forward_training};

    #[test]
    fn values_spread_around_the_mean_of_their_channel() {
        // Two channels with means of 2 and 20, 300 samples.
        let x: Vec<f32> = [1.0, 10.0, 3.0, 30.0].into_iter().cycle().take(4 * 300).collect();
        let y = forward_training(&RandomContrast::new((0.5, 0.25)), &[(&[1, 2, 2], &x)], 1);
        let factors: Vec<f32> = y.chunks(4).map(|image| (image[2] - image[0]) / 2.0).collect();
        for (image, factor) in y.chunks(4).zip(&factors) {
            for (value, expected) in image.iter().zip([2.0 - factor, 20.0 - 10.0 * factor, 2.0 + factor, 20.0 + 10.0 * factor]) {
                assert!((value - expected).abs() < 1e-5, "{image:?}");
            }
        }
        let (low, high) = factors.iter().fold((f32::MAX, f32::MIN), |(low, high), f| (low.min(*f), high.max(*f)));
        assert!((0.5..0.52).contains(&low) && (1.23..=1.25).contains(&high), "{low} to {high}");
        // Pixels end at the range.
        let y = forward_training(&RandomContrast::new((0.0, 1.0)).value_range((1.0, 3.0)), &[(&[1, 2, 1], &[1.0, 3.0])], 1);
        assert_eq!(y, [1.0, 3.0]);
    }

    #[test]
    fn only_training_changes_images_and_each_on_its_own() {
        check_augmentation(&RandomContrast::new(0.5), &RandomContrast::new(0.5).seed(7));
    }

    #[test]
    fn arguments_are_checked() {
        let error = RandomContrast::new((0.5, 1.5)).build(&[vec![2, 2, 1]]).unwrap_err();
        assert_eq!(error, "factor must be a number or [lower, upper] between 0 and 1, got [0.5, 1.5]");
    }
}
