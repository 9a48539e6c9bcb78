//! `RandomRotation`: in training, turns each image by an angle of its own.

use super::affine::{AffineOp, Draw, Factor, FillMode, Interpolation};
use super::arguments::ChannelsLast;
use super::{Base, Built, Layer, Shape, image};
use serde::{Deserialize, Serialize};

/// Turns images by an angle drawn from `factor`, in fractions of a full turn (0.1 means −36° to 36°), positive counter-clockwise.
/// Inference passes through.
///
/// Keras file: `layers/preprocessing/image_preprocessing/random_rotation.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RandomRotation {
    #[serde(skip)]
    pub(crate) base: Base,
    factor: Factor,
    fill_mode: FillMode,
    interpolation: Interpolation,
    seed: Option<u64>,
    fill_value: f64,
    data_format: ChannelsLast,
}

impl Default for RandomRotation {
    fn default() -> Self {
        RandomRotation {
            base: Base::default(),
            factor: Factor::Around(0.0),
            fill_mode: FillMode::Reflect,
            interpolation: Interpolation::Bilinear,
            seed: None,
            fill_value: 0.0,
            data_format: ChannelsLast,
        }
    }
}

impl RandomRotation {
    /// Turns by up to `factor` of a full turn either way, or between two fractions.
    pub fn new(factor: impl Into<Factor>) -> Self {
        RandomRotation { factor: factor.into(), ..RandomRotation::default() }
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

layer_builder!(RandomRotation);

impl Layer for RandomRotation {
    layer_boilerplate!("RandomRotation");

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = image(inputs)?;
        let draw = Draw::Rotation(self.factor.range("factor", false)?);
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
        let layer = RandomRotation::new(0.2);
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
            RandomRotation::new(1.5).build(&[vec![6, 6, 1]]).unwrap_err(),
            "factor must be a number or [low, high] between -1 and 1, got 1.5"
        );
        let error = RandomRotation::new(0.2).build(&[vec![36]]).unwrap_err();
        assert!(error.contains("(None, 36)"), "{error}");
    }
}
