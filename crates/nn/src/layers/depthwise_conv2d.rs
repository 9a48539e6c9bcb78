//! `DepthwiseConv2D`: every channel is convolved on its own.

use super::arguments::{ChannelsLast, Null, Padding, Pair};
use super::conv2d::{Window, lower_conv};
use super::{Base, Built, Layer, Shape, WeightSpec, image};
use crate::activations::Activation;
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use serde::{Deserialize, Serialize};

/// `depth_multiplier` convolutions of each channel: `[batch, height, width, channels]` → `[batch, out_height, out_width, channels ·
/// depth_multiplier]` (the outputs of a channel side by side), kernel `[kernel_height, kernel_width, channels, depth_multiplier]`,
/// bias `[channels · depth_multiplier]`.
///
/// Keras file: `layers/convolutional/depthwise_conv2d.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DepthwiseConv2D {
    #[serde(skip)]
    pub(crate) base: Base,
    depth_multiplier: usize,
    kernel_size: Pair,
    strides: Pair,
    padding: Padding,
    data_format: ChannelsLast,
    dilation_rate: Pair,
    activation: Activation,
    use_bias: bool,
    depthwise_initializer: Initializer,
    bias_initializer: Initializer,
    depthwise_regularizer: Option<Regularizer>,
    bias_regularizer: Option<Regularizer>,
    activity_regularizer: Null,
    depthwise_constraint: Null,
    bias_constraint: Null,
}

impl Default for DepthwiseConv2D {
    fn default() -> Self {
        DepthwiseConv2D {
            base: Base::default(),
            depth_multiplier: 1,
            kernel_size: Pair(0, 0),
            strides: Pair(1, 1),
            padding: Padding::Valid,
            data_format: ChannelsLast,
            dilation_rate: Pair(1, 1),
            activation: Activation::default(),
            use_bias: true,
            depthwise_initializer: Initializer::glorot_uniform(),
            bias_initializer: Initializer::Zeros,
            depthwise_regularizer: None,
            bias_regularizer: None,
            activity_regularizer: Null,
            depthwise_constraint: Null,
            bias_constraint: Null,
        }
    }
}

impl DepthwiseConv2D {
    /// One output per channel from windows of `kernel_size` pixels.
    pub fn new(kernel_size: impl Into<Pair>) -> Self {
        DepthwiseConv2D { kernel_size: kernel_size.into(), ..DepthwiseConv2D::default() }
    }

    convolution_setters!();

    setters! {
        /// Outputs per channel; 1 by default.
        depth_multiplier: usize,
        /// Initial kernel; Glorot uniform by default.
        depthwise_initializer: Initializer,
        /// Penalty on the kernel.
        depthwise_regularizer: Option<Regularizer>,
    }
}

layer_builder!(DepthwiseConv2D);

impl Layer for DepthwiseConv2D {
    layer_boilerplate!("DepthwiseConv2D");
    takes_what_follows!();

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let [h, w, c] = image(inputs)?;
        let filters = outputs(c, self.depth_multiplier)?;
        let window =
            Window { kernel: self.kernel_size, strides: self.strides, dilation: self.dilation_rate, padding: self.padding };
        let shape = window.shape([h, w, c], filters, c)?;
        let kernel = vec![self.kernel_size.0, self.kernel_size.1, c, self.depth_multiplier];
        let mut weights =
            vec![WeightSpec::new("kernel", kernel, &self.depthwise_initializer, self.depthwise_regularizer.as_ref())];
        if self.use_bias {
            weights.push(WeightSpec::new("bias", vec![filters], &self.bias_initializer, self.bias_regularizer.as_ref()));
        }
        // A grouped convolution with a group per channel: its kernel [kh, kw, 1, c · multiplier] has the same order in memory.
        let steps = lower_conv(shape, (0..weights.len()).collect(), self.use_bias, &self.activation)?;
        Ok(Built { weights, steps })
    }
}

/// Number of outputs of a depthwise convolution.
pub(super) fn outputs(channels: usize, depth_multiplier: usize) -> Result<usize, String> {
    match channels.checked_mul(depth_multiplier) {
        Some(n) if n > 0 => Ok(n),
        _ => Err(format!("depth_multiplier must be at least 1 (and fit {channels} channels), got {depth_multiplier}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_keras_shapes() {
        let built = DepthwiseConv2D::new((3, 2)).depth_multiplier(2).build(&[vec![6, 6, 5]]).unwrap();
        let shapes: Vec<_> = built.weights.iter().map(|w| (w.name, w.shape.clone())).collect();
        assert_eq!(shapes, [("kernel", vec![3, 2, 5, 2]), ("bias", vec![10])]);
        assert_eq!(built.steps[0].output, [4, 5, 10]);
    }

    #[test]
    fn a_multiplier_of_0_is_refused() {
        let error = DepthwiseConv2D::new(3).depth_multiplier(0).build(&[vec![6, 6, 5]]).unwrap_err();
        assert!(error.starts_with("depth_multiplier must be at least 1"), "{error}");
    }
}
