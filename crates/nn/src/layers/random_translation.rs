//! `RandomTranslation`: in training, shifts each image by a distance of its own.

use super::affine::{Draw, Factor, FillMode, Interpolation, Sampling, moved};
use super::arguments::ChannelsLast;
use super::{Built, Layer, Shape};

keras_layer! {
    /// Shifts images by shares of their height and width drawn from `height_factor` (positive is down) and `width_factor` (positive is
    /// right). Inference passes through.
    ///
    /// Keras file: `layers/preprocessing/image_preprocessing/random_translation.py`.
    pub struct RandomTranslation("random_translation") new(
        /// Most of the height either way, or between two shares.
        height_factor: Factor,
        /// Most of the width either way, or between two shares.
        width_factor: Factor,
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

impl Layer for RandomTranslation {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let height = self.height_factor.range("height_factor", false)?;
        let draw = Draw::Translation(height, self.width_factor.range("width_factor", false)?);
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
        check_augmentation(&RandomTranslation::new(0.2, 0.3), &RandomTranslation::new(0.2, 0.3).seed(7));
    }

    #[test]
    fn factors_are_checked() {
        assert_eq!(
            RandomTranslation::new(0.0, (0.0, 2.0)).build(&[vec![6, 6, 1]]).unwrap_err(),
            "width_factor must be a number or [low, high] between -1 and 1, got [0, 2]"
        );
        let error = RandomTranslation::new(0.2, 0.3).build(&[vec![36]]).unwrap_err();
        assert!(error.contains("(None, 36)"), "{error}");
    }
}
