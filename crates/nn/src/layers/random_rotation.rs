//! `RandomRotation`: in training, turns each image by an angle of its own.

use super::affine::{Draw, Factor};
use super::sampling::{Sampling, sampling_builder};
use super::{Base, Built, Layer, Shape};
use serde::{Deserialize, Serialize};

/// Turns images by an angle drawn from `factor`, in fractions of a full turn (0.1 means −36° to 36°), positive counter-clockwise.
/// Inference passes through.
///
/// Keras file: `layers/preprocessing/image_preprocessing/random_rotation.py`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RandomRotation {
    #[serde(skip)]
    pub(crate) base: Base,
    factor: Factor,
    #[serde(flatten)]
    sampling: Sampling,
}

impl RandomRotation {
    /// Turns by up to `factor` of a full turn either way, or between two fractions.
    pub fn new(factor: impl Into<Factor>) -> Self {
        RandomRotation { factor: factor.into(), ..RandomRotation::default() }
    }
}

layer_builder!(RandomRotation);
sampling_builder!(RandomRotation);

impl Layer for RandomRotation {
    layer_boilerplate!("RandomRotation");

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let draw = Draw::Rotation(self.factor.range("factor", false)?);
        self.sampling.build(inputs, draw)
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
