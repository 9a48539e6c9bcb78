//! `RandomRotation`: in training, turns each image by an angle of its own.

use super::affine::{Draw, Factor, FillMode, Interpolation, Sampling, moved};
use super::arguments::ChannelsLast;
use super::{Built, Layer, Shape};

keras_layer! {
    /// Turns images by an angle drawn from `factor`, in fractions of a full turn (0.1 means −36° to 36°), positive counter-clockwise.
    /// Inference passes through.
    ///
    /// Keras file: `layers/preprocessing/image_preprocessing/random_rotation.py`.
    pub struct RandomRotation("random_rotation") new(
        /// Most of a full turn either way, or between two fractions.
        factor: Factor,
    ) {
        /// What comes in from outside; reflect by default.
        fill_mode: FillMode = FillMode::Reflect,
        /// Bilinear by default.
        interpolation: Interpolation = Interpolation::Bilinear,
        /// Draws from this seed instead of the run's.
        seed: Option<u64> = None,
        /// For fill mode constant; 0 by default.
        fill_value: f64 = 0.0,
        /// Channels last, the one order there is.
        data_format: ChannelsLast = ChannelsLast,
    }
}

impl Layer for RandomRotation {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let draw = Draw::Rotation(self.factor.range("factor", false)?);
        let sampling = Sampling {
            fill_mode: self.fill_mode,
            fill_value: self.fill_value as f32,
            interpolation: self.interpolation,
            seed: self.seed,
        };
        moved(inputs, draw, sampling)
    }

    fn acts_only_in_training(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::check_augmentation;

    #[test]
    fn only_training_changes_images_and_each_on_its_own() {
        check_augmentation(&RandomRotation::new(0.2), &RandomRotation::new(0.2).seed(7));
    }

    #[test]
    fn factors_are_checked() {
        assert_eq!(
            RandomRotation::new(1.5).build(&[vec![6, 6, 1]]).unwrap_err(),
            "factor must be a number or [low, high] between -1 and 1, got 1.5"
        );
        let error = RandomRotation::new(0.2).build(&[vec![36]]).unwrap_err();
        assert!(error.contains("(None, 36)"), "{error}");
    }
}
