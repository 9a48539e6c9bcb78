//! `RandomZoom`: in training, enlarges or shrinks each image by a factor of its own.

use super::affine::{AffineOp, Draw, Factor, FillMode, Interpolation};
use super::arguments::ChannelsLast;
use super::{Base, Built, Layer, Shape, image};
use serde::{Deserialize, Serialize};

/// Draws z from `height_factor` (and `width_factor`; absent, the same z) and shows 1 + z times as much of the image: positive
/// shrinks, negative enlarges. Inference passes through.
///
/// Keras file: `layers/preprocessing/image_preprocessing/random_zoom.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RandomZoom {
    #[serde(skip)]
    pub(crate) base: Base,
    height_factor: Factor,
    width_factor: Option<Factor>,
    fill_mode: FillMode,
    interpolation: Interpolation,
    seed: Option<u64>,
    fill_value: f64,
    data_format: ChannelsLast,
}

impl Default for RandomZoom {
    fn default() -> Self {
        RandomZoom {
            base: Base::default(),
            height_factor: Factor::Around(0.0),
            width_factor: None,
            fill_mode: FillMode::Reflect,
            interpolation: Interpolation::Bilinear,
            seed: None,
            fill_value: 0.0,
            data_format: ChannelsLast,
        }
    }
}

impl RandomZoom {
    /// Changes the size by up to this share either way, or between two shares.
    pub fn new(height_factor: impl Into<Factor>) -> Self {
        RandomZoom { height_factor: height_factor.into(), ..RandomZoom::default() }
    }

    setters! {
        /// What comes in from outside; reflect by default.
        fill_mode: FillMode,
        /// Bilinear by default.
        interpolation: Interpolation,
        /// For fill mode constant; 0 by default.
        fill_value: f64,
    }

    /// Range for the width alone; by default width and height change alike.
    #[must_use]
    pub fn width_factor(mut self, width_factor: impl Into<Factor>) -> Self {
        self.width_factor = Some(width_factor.into());
        self
    }

    /// Draws from this seed instead of the run's.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}

layer_builder!(RandomZoom);

impl Layer for RandomZoom {
    layer_boilerplate!("RandomZoom");

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = image(inputs)?;
        let height = self.height_factor.range("height_factor", true)?;
        let width = self.width_factor.map(|f| f.range("width_factor", true)).transpose()?;
        let draw = Draw::Zoom(height, width);
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
        let layer = RandomZoom::new(0.3);
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
            RandomZoom::new(0.1).width_factor((-1.0, 0.0)).build(&[vec![6, 6, 1]]).unwrap_err(),
            "width_factor must be a number or [low, high] above -1 and at most 1, got [-1, 0]"
        );
        let error = RandomZoom::new(0.3).build(&[vec![36]]).unwrap_err();
        assert!(error.contains("(None, 36)"), "{error}");
    }
}
