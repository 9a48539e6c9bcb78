//! `RandomZoom`: in training, enlarges or shrinks each image by a factor of its own.

use super::affine::{Draw, Factor, FillMode, Interpolation, Sampling, moved};
use super::arguments::ChannelsLast;
use super::{Built, Layer, Shape};

keras_layer! {
    /// Draws z from `height_factor` (and `width_factor`; absent, the same z) and shows 1 + z times as much of the image: positive
    /// shrinks, negative enlarges. Inference passes through.
    ///
    /// Keras file: `layers/preprocessing/image_preprocessing/random_zoom.py`.
    pub struct RandomZoom("random_zoom") new(
        /// Largest change of size either way, or between two shares.
        height_factor: Factor,
    ) {
        /// Range for the width alone; by default width and height change alike.
        width_factor: Option<Factor> = None,
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

impl Layer for RandomZoom {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let height = self.height_factor.range("height_factor", true)?;
        let width = self.width_factor.map(|f| f.range("width_factor", true)).transpose()?;
        let draw = Draw::Zoom(height, width);
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
    use crate::layers::registry::{UnknownKeys, from_config};
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

    #[test]
    fn arguments_are_written_in_keras_order() {
        let layer = RandomZoom::new(0.5).width_factor(0.25).fill_mode(FillMode::Wrap).fill_value(2.0).seed(u64::MAX);
        let config = layer.config();
        assert_eq!(
            serde_json::Value::Object(config.clone()).to_string(),
            "{\"height_factor\":0.5,\"width_factor\":0.25,\"fill_mode\":\"wrap\",\"interpolation\":\"bilinear\",\
             \"seed\":18446744073709551615,\"fill_value\":2.0,\"data_format\":\"channels_last\"}"
        );
        let read = from_config("RandomZoom", &config, UnknownKeys::Refuse).unwrap();
        assert_eq!(read.as_any().downcast_ref::<RandomZoom>(), Some(&layer));
    }

    #[test]
    fn wrong_arguments_are_named() {
        let message = |key: &str, value: serde_json::Value| {
            let config = [("height_factor".to_string(), 0.5.into()), (key.to_string(), value)].into_iter().collect();
            from_config("RandomZoom", &config, UnknownKeys::Refuse).unwrap_err().to_string()
        };
        assert!(message("data_format", "channels_first".into()).ends_with("the only order supported, got \"channels_first\""));
        let fill = message("fill_mode", "mirror".into());
        assert!(fill.ends_with("fill_mode must be one of reflect, wrap, constant, nearest, got \"mirror\""), "{fill}");
        assert!(message("width_factor", "x".into()).contains("width_factor must be a number or [low, high], got \"x\""));
        assert!(message("fill_mod", "wrap".into()).contains("unknown argument \"fill_mod\""));
    }
}
