//! `RandomBrightness`: in training, makes each image lighter or darker.

use super::affine::Factor;
use super::arguments::ChannelsLast;
use super::value_range::ValueRange;
use super::{Built, Layer, Shape, image};
use crate::op::{Backward, Forward, Op, Random};

keras_layer! {
    /// x + f · (high − low) with an f for each image drawn from `factor`, cut to `value_range` = [low, high]. Inference passes through.
    ///
    /// Keras file: `layers/preprocessing/image_preprocessing/random_brightness.py`.
    pub struct RandomBrightness("random_brightness") new(
        /// The largest share of the range either way, or between two shares; each from -1 to 1.
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

impl Layer for RandomBrightness {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = image(inputs)?;
        let (low, high) = self.value_range.ends()?;
        let factor = self.factor.range("factor", false)?;
        let op = BrightnessOp { len: shape.iter().product(), factor, low, high, seed: self.seed };
        Ok(Built::op(op, shape.to_vec()))
    }

    fn acts_only_in_training(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct BrightnessOp {
    len: usize,
    factor: (f32, f32),
    low: f32,
    high: f32,
    seed: Option<u64>,
}

impl BrightnessOp {
    /// What is added to the pixels of a sample.
    fn shift(&self, random: Random, sample: usize) -> f32 {
        random.between(self.seed, sample, self.factor) * (self.high - self.low)
    }
}

impl Op for BrightnessOp {
    fn is_identity_in_inference(&self) -> bool {
        true
    }

    fn forward(&self, c: Forward<'_>) {
        if !c.training {
            c.output.copy_from_slice(c.inputs[0]);
            return;
        }
        for (i, (x, y)) in c.inputs[0].chunks_exact(self.len).zip(c.output.chunks_exact_mut(self.len)).enumerate() {
            let shift = self.shift(c.random, c.first + i);
            y.iter_mut().zip(x).for_each(|(y, x)| *y = (x + shift).clamp(self.low, self.high));
        }
    }

    /// Nothing comes back from pixels that were cut.
    fn backward(&self, c: Backward<'_, '_>) {
        let Some(dx) = &mut c.d_inputs[0] else { return };
        for (i, (x, dx)) in c.inputs[0].chunks_exact(self.len).zip(dx.chunks_exact_mut(self.len)).enumerate() {
            let shift = self.shift(c.random, c.first + i);
            let dy = &c.d_output[i * self.len..(i + 1) * self.len];
            for ((dx, x), dy) in dx.iter_mut().zip(x).zip(dy) {
                *dx = if (self.low..=self.high).contains(&(x + shift)) { *dy } else { 0.0 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{check_augmentation, forward_training};

    #[test]
    fn the_range_ends_the_pixels() {
        let layer = RandomBrightness::new((0.5, 0.5)).value_range((-1.0, 1.0));
        // Keras: 0.5 · (1 − (−1)) is added, and the sum is cut to [-1, 1].
        assert_eq!(forward_training(&layer, &[(&[1, 3, 1], &[-1.0, -0.25, 0.5])], 1), [0.0, 0.75, 1.0]);
    }

    #[test]
    fn only_training_changes_images_and_each_on_its_own() {
        check_augmentation(&RandomBrightness::new(0.2), &RandomBrightness::new(0.2).seed(7));
    }

    #[test]
    fn arguments_are_checked() {
        let error = |layer: RandomBrightness| layer.build(&[vec![2, 2, 1]]).unwrap_err();
        assert_eq!(error(RandomBrightness::new(1.5)), "factor must be a number or [low, high] between -1 and 1, got 1.5");
        assert_eq!(
            error(RandomBrightness::new(0.5).value_range((1.0, 1.0))),
            "value_range must be two different numbers, got [1, 1]"
        );
    }
}
