//! How the layers that move pixels read a picture: the arguments that `RandomRotation`, `RandomTranslation` and `RandomZoom` share.

use super::affine::{AffineOp, Draw, FillMode, Interpolation};
use super::arguments::ChannelsLast;
use super::{Built, Shape, image};
use serde::{Deserialize, Serialize};

/// The last arguments of each of them, in Keras' order; flattened into the layer's config.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Sampling {
    pub(super) fill_mode: FillMode,
    pub(super) interpolation: Interpolation,
    pub(super) seed: Option<u64>,
    pub(super) fill_value: f64,
    data_format: ChannelsLast,
}

impl Sampling {
    /// A layer that moves the pixels of `[batch, height, width, channels]` by what `draw` says.
    pub(super) fn build(&self, inputs: &[Shape], draw: Draw) -> Result<Built, String> {
        let shape = image(inputs)?;
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

/// The builder methods of a layer with a `sampling` field.
macro_rules! sampling_builder {
    ($type:ty) => {
        impl $type {
            /// What comes in from outside; reflect by default.
            #[must_use]
            pub fn fill_mode(mut self, fill_mode: impl Into<super::FillMode>) -> Self {
                self.sampling.fill_mode = fill_mode.into();
                self
            }
            /// Bilinear by default.
            #[must_use]
            pub fn interpolation(mut self, interpolation: impl Into<super::Interpolation>) -> Self {
                self.sampling.interpolation = interpolation.into();
                self
            }
            /// For fill mode constant; 0 by default.
            #[must_use]
            pub fn fill_value(mut self, fill_value: impl Into<f64>) -> Self {
                self.sampling.fill_value = fill_value.into();
                self
            }
            /// Draws from this seed instead of the run's.
            #[must_use]
            pub fn seed(mut self, seed: u64) -> Self {
                self.sampling.seed = Some(seed);
                self
            }
        }
    };
}
pub(super) use sampling_builder;

#[cfg(test)]
mod tests {
    use crate::layers::registry::{UnknownKeys, from_config};
    use crate::layers::{FillMode, Layer, RandomZoom};

    #[test]
    fn the_shared_arguments_stand_last_in_keras_order() {
        let layer = RandomZoom::new(0.5).width_factor(0.25).fill_mode(FillMode::Wrap).fill_value(2.0).seed(u64::MAX);
        let config = layer.config();
        let text = serde_json::to_string(&config).unwrap();
        assert_eq!(
            text,
            "{\"height_factor\":0.5,\"width_factor\":0.25,\"fill_mode\":\"wrap\",\"interpolation\":\"bilinear\",\
             \"seed\":18446744073709551615,\"fill_value\":2.0,\"data_format\":\"channels_last\"}"
        );
        let read = from_config("RandomZoom", &config, UnknownKeys::Refuse).unwrap();
        assert_eq!(read.as_any().downcast_ref::<RandomZoom>(), Some(&layer));
    }

    #[test]
    fn their_errors_are_the_same_as_ever() {
        let message = |key: &str, value: serde_json::Value| {
            let config = [(key.to_string(), value)].into_iter().collect();
            from_config("RandomZoom", &config, UnknownKeys::Refuse).unwrap_err().to_string()
        };
        assert!(message("data_format", "channels_first".into()).contains("\"channels_first\" is not supported"));
        assert!(message("fill_mode", "mirror".into()).contains("unknown variant `mirror`"));
        assert!(message("fill_mod", "wrap".into()).contains("unknown argument \"fill_mod\""));
    }
}
