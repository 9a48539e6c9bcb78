//! `RandomZoom`: in training, enlarges or shrinks each image by a factor of its own.

use super::affine::{Draw, Factor};
use super::sampling::{Sampling, sampling_builder};
use super::{Base, Built, Layer, Shape};
use serde::{Deserialize, Serialize};

/// Draws z from `height_factor` (and `width_factor`; absent, the same z) and shows 1 + z times as much of the image: positive
/// shrinks, negative enlarges. Inference passes through.
///
/// Keras file: `layers/preprocessing/image_preprocessing/random_zoom.py`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RandomZoom {
    #[serde(skip)]
    pub(crate) base: Base,
    height_factor: Factor,
    width_factor: Option<Factor>,
    #[serde(flatten)]
    sampling: Sampling,
}

impl RandomZoom {
    /// Changes the size by up to this share either way, or between two shares.
    pub fn new(height_factor: impl Into<Factor>) -> Self {
        RandomZoom { height_factor: height_factor.into(), ..RandomZoom::default() }
    }

    setters! {
        /// Range for the width alone; by default width and height change alike.
        width_factor: Option<Factor>,
    }
}

layer_builder!(RandomZoom);
sampling_builder!(RandomZoom);

impl Layer for RandomZoom {
    layer_boilerplate!("RandomZoom");

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let height = self.height_factor.range("height_factor", true)?;
        let width = self.width_factor.map(|f| f.range("width_factor", true)).transpose()?;
        let draw = Draw::Zoom(height, width);
        self.sampling.build(inputs, draw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::check_augmentation;

    #[test]
    fn only_training_changes_images_and_each_on_its_own() {
        check_augmentation(&RandomZoom::new(0.3), &RandomZoom::new(0.3).seed(7));
    }

    #[test]
    fn factors_are_checked() {
        assert_eq!(
            RandomZoom::new(0.1).width_factor((-1.0, 0.0)).build(&[vec![6, 6, 1]]).unwrap_err(),
            "width_factor must be a number or [low, high] above -1 and at most 1, got [-1, 0]"
        );
        let error = RandomZoom::new(0.3).build(&[vec![36]]).unwrap_err();
        assert!(error.contains("(None, 36)"), "{error}");
    }
}
