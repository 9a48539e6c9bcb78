//! `RandomTranslation`: in training, shifts each image by a distance of its own.

use super::affine::{Draw, Factor};
use super::sampling::{Sampling, sampling_builder};
use super::{Base, Built, Layer, Shape};
use serde::{Deserialize, Serialize};

/// Shifts images by shares of their height and width drawn from `height_factor` (positive is down) and `width_factor` (positive is
/// right). Inference passes through.
///
/// Keras file: `layers/preprocessing/image_preprocessing/random_translation.py`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RandomTranslation {
    #[serde(skip)]
    pub(crate) base: Base,
    height_factor: Factor,
    width_factor: Factor,
    #[serde(flatten)]
    sampling: Sampling,
}

impl RandomTranslation {
    /// Shifts by up to these shares of height and width either way, or between two shares.
    pub fn new(height_factor: impl Into<Factor>, width_factor: impl Into<Factor>) -> Self {
        RandomTranslation {
            height_factor: height_factor.into(),
            width_factor: width_factor.into(),
            ..RandomTranslation::default()
        }
    }
}

layer_builder!(RandomTranslation);
sampling_builder!(RandomTranslation);

impl Layer for RandomTranslation {
    layer_boilerplate!("RandomTranslation");

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let height = self.height_factor.range("height_factor", false)?;
        let draw = Draw::Translation(height, self.width_factor.range("width_factor", false)?);
        self.sampling.build(inputs, draw)
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
