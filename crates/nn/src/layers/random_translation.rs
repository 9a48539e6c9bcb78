//! `RandomTranslation`: in training, shifts each image by a distance of its own.

use super::affine::{AffineOp, Draw, Factor, FillMode, Interpolation};
use super::arguments::ChannelsLast;
use super::{Base, Built, Layer, Shape, image};
use serde::{Deserialize, Serialize};

/// Shifts images by shares of their height and width drawn from `height_factor` (positive is down) and `width_factor` (positive is
/// right). Inference passes through.
///
/// Keras file: `layers/preprocessing/image_preprocessing/random_translation.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RandomTranslation {
    #[serde(skip)]
    pub(crate) base: Base,
    height_factor: Factor,
    width_factor: Factor,
    fill_mode: FillMode,
    interpolation: Interpolation,
    seed: Option<u64>,
    fill_value: f64,
    data_format: ChannelsLast,
}

impl Default for RandomTranslation {
    fn default() -> Self {
        RandomTranslation {
            base: Base::default(),
            height_factor: Factor::Around(0.0),
            width_factor: Factor::Around(0.0),
            fill_mode: FillMode::Reflect,
            interpolation: Interpolation::Bilinear,
            seed: None,
            fill_value: 0.0,
            data_format: ChannelsLast,
        }
    }
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

    setters! {
        /// What comes in from outside; reflect by default.
        fill_mode: FillMode,
        /// Bilinear by default.
        interpolation: Interpolation,
        /// For fill mode constant; 0 by default.
        fill_value: f64,
    }

    /// Draws from this seed instead of the run's.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}

layer_builder!(RandomTranslation);

impl Layer for RandomTranslation {
    layer_boilerplate!("RandomTranslation");

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = image(inputs)?;
        let height = self.height_factor.range("height_factor", false)?;
        let draw = Draw::Translation(height, self.width_factor.range("width_factor", false)?);
        let op = AffineOp {
            shape,
            draw,
            fill_mode: self.fill_mode,
            fill_value: self.fill_value as f32,
            interpolation: self.interpolation,
            seed: self.seed,
        };
        Ok(Built::op(op, shape.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{forward, forward_training};

    #[test]
    fn only_training_changes_images_and_each_on_its_own() {
        let x: Vec<f32> = (0..36).chain(0..36).map(|v| v as f32).collect();
        let layer = RandomTranslation::new(0.2, 0.3);
        assert_eq!(forward(&layer, &[(&[6, 6, 1], &x)]), x);
        let y = forward_training(&layer, &[(&[6, 6, 1], &x)], 1);
        assert_ne!(y[..36], x[..36]);
        assert_ne!(y[..36], y[36..], "two samples were changed alike");
        assert_eq!(y, forward_training(&layer, &[(&[6, 6, 1], &x)], 1));
        assert_ne!(y, forward_training(&layer, &[(&[6, 6, 1], &x)], 2));
        let seeded = layer.seed(7);
        assert_eq!(forward_training(&seeded, &[(&[6, 6, 1], &x)], 1), forward_training(&seeded, &[(&[6, 6, 1], &x)], 2));
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
