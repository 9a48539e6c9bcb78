//! `RandomFlip`: in training, mirrors every other image.

use super::arguments::ChannelsLast;
use super::{Built, Layer, Shape, image};
use crate::object::words;
use crate::op::{Backward, Forward, Op, Random};

words! {
    /// What [`RandomFlip`] swaps.
    pub enum FlipMode {
        /// Left and right.
        Horizontal = "horizontal",
        /// Top and bottom.
        Vertical = "vertical",
        /// Both at once: a turn by 180 degrees.
        HorizontalAndVertical = "horizontal_and_vertical",
    }
}

keras_layer! {
    /// Mirrors each image of `[batch, height, width, channels]` with a chance of one half. Inference passes through.
    ///
    /// Not for digits: a mirrored 3 is none. Keras file: `layers/preprocessing/image_preprocessing/random_flip.py`.
    pub struct RandomFlip("random_flip") {
        /// Horizontal, vertical, or horizontal and vertical at once; the last by default.
        mode: FlipMode = FlipMode::HorizontalAndVertical,
        /// Draws from this seed instead of the run's.
        seed: Option<u64> = None,
        /// Channels last, the one order there is.
        data_format: ChannelsLast = ChannelsLast,
    }
}

impl Layer for RandomFlip {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = image(inputs)?;
        Ok(Built::op(FlipOp { shape, mode: self.mode, seed: self.seed }, shape.to_vec()))
    }

    fn acts_only_in_training(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct FlipOp {
    shape: [usize; 3],
    mode: FlipMode,
    seed: Option<u64>,
}

impl FlipOp {
    /// Copies samples, those that are drawn mirrored. Mirroring is its own way back.
    fn copy(&self, random: Random, first: usize, from: &[f32], to: &mut [f32]) {
        let [h, w, c] = self.shape;
        let random = random.with_seed(self.seed);
        for (i, (from, to)) in from.chunks_exact(h * w * c).zip(to.chunks_exact_mut(h * w * c)).enumerate() {
            if random.stream(first + i).uniform_at(0) > 0.5 {
                to.copy_from_slice(from);
                continue;
            }
            for (y, row) in to.chunks_exact_mut(w * c).enumerate() {
                let y = if self.mode == FlipMode::Horizontal { y } else { h - 1 - y };
                let source = &from[y * w * c..(y + 1) * w * c];
                if self.mode == FlipMode::Vertical {
                    row.copy_from_slice(source);
                } else {
                    row.chunks_exact_mut(c).zip(source.chunks_exact(c).rev()).for_each(|(to, from)| to.copy_from_slice(from));
                }
            }
        }
    }
}

impl Op for FlipOp {
    fn is_identity_in_inference(&self) -> bool {
        true
    }

    fn forward(&self, c: Forward<'_>) {
        if c.training {
            self.copy(c.random, c.first, c.inputs[0], c.output);
        } else {
            c.output.copy_from_slice(c.inputs[0]);
        }
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            self.copy(c.random, c.first, c.d_output, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{forward, forward_training};

    /// A pixel of two channels in each corner.
    const X: [f32; 8] = [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5];

    fn flipped(mode: FlipMode) -> Vec<f32> {
        let x: Vec<f32> = X.iter().copied().cycle().take(8 * 400).collect();
        let y = forward_training(&RandomFlip::new().mode(mode), &[(&[2, 2, 2], &x)], 1);
        let changed: Vec<&[f32]> = y.chunks(8).filter(|image| **image != X).collect();
        // Half of 400, five standard deviations of 10.
        assert!((150..=250).contains(&changed.len()), "{} of 400", changed.len());
        assert!(changed.iter().all(|image| *image == changed[0]));
        changed[0].to_vec()
    }

    #[test]
    fn half_of_the_images_are_mirrored() {
        assert_eq!(flipped(FlipMode::Horizontal), [2.0, 2.5, 1.0, 1.5, 4.0, 4.5, 3.0, 3.5]);
        assert_eq!(flipped(FlipMode::Vertical), [3.0, 3.5, 4.0, 4.5, 1.0, 1.5, 2.0, 2.5]);
        assert_eq!(flipped(FlipMode::HorizontalAndVertical), [4.0, 4.5, 3.0, 3.5, 2.0, 2.5, 1.0, 1.5]);
    }

    #[test]
    fn only_training_changes_images_and_each_on_its_own() {
        let x: Vec<f32> = X.iter().copied().cycle().take(8 * 40).collect();
        let train = |layer: RandomFlip, seed| forward_training(&layer, &[(&[2, 2, 2], &x)], seed);
        assert_eq!(forward(&RandomFlip::new(), &[(&[2, 2, 2], &x)]), x);
        assert_eq!(train(RandomFlip::new(), 1), train(RandomFlip::new(), 1));
        // Forty coins that fall alike for two seeds: a chance of 2⁻⁴⁰.
        assert_ne!(train(RandomFlip::new(), 1), train(RandomFlip::new(), 2));
        assert_eq!(train(RandomFlip::new().seed(7), 1), train(RandomFlip::new().seed(7), 2));
    }
}
