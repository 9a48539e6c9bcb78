//! `SeparableConv2D`: a depthwise convolution, then a 1×1 convolution across channels.

use super::arguments::{ChannelsLast, Null, Padding, Pair};
use super::conv2d::{Window, lower_conv};
use super::depthwise_conv2d::outputs;
use super::{Base, Built, Layer, Shape, WeightSpec, image};
use crate::activations::Activation;
use crate::initializers::Initializer;
use crate::regularizers::Regularizer;
use serde::{Deserialize, Serialize};

/// activation((input ∗ depthwise kernel) · pointwise kernel + bias): `[batch, height, width, channels]` → `[batch, out_height,
/// out_width, filters]`; depthwise kernel `[kernel_height, kernel_width, channels, depth_multiplier]`, pointwise kernel `[1, 1,
/// channels · depth_multiplier, filters]`, bias `[filters]`.
///
/// Keras file: `layers/convolutional/separable_conv2d.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SeparableConv2D {
    #[serde(skip)]
    pub(crate) base: Base,
    depth_multiplier: usize,
    filters: usize,
    kernel_size: Pair,
    strides: Pair,
    padding: Padding,
    data_format: ChannelsLast,
    dilation_rate: Pair,
    activation: Activation,
    use_bias: bool,
    depthwise_initializer: Initializer,
    pointwise_initializer: Initializer,
    bias_initializer: Initializer,
    depthwise_regularizer: Option<Regularizer>,
    pointwise_regularizer: Option<Regularizer>,
    bias_regularizer: Option<Regularizer>,
    activity_regularizer: Null,
    depthwise_constraint: Null,
    pointwise_constraint: Null,
    bias_constraint: Null,
}

impl Default for SeparableConv2D {
    fn default() -> Self {
        SeparableConv2D {
            base: Base::default(),
            depth_multiplier: 1,
            filters: 0,
            kernel_size: Pair(0, 0),
            strides: Pair(1, 1),
            padding: Padding::Valid,
            data_format: ChannelsLast,
            dilation_rate: Pair(1, 1),
            activation: Activation::default(),
            use_bias: true,
            depthwise_initializer: Initializer::glorot_uniform(),
            pointwise_initializer: Initializer::glorot_uniform(),
            bias_initializer: Initializer::Zeros,
            depthwise_regularizer: None,
            pointwise_regularizer: None,
            bias_regularizer: None,
            activity_regularizer: Null,
            depthwise_constraint: Null,
            pointwise_constraint: Null,
            bias_constraint: Null,
        }
    }
}

impl SeparableConv2D {
    /// `filters` outputs from windows of `kernel_size` pixels.
    pub fn new(filters: usize, kernel_size: impl Into<Pair>) -> Self {
        SeparableConv2D { filters, kernel_size: kernel_size.into(), ..SeparableConv2D::default() }
    }

    convolution_setters!();

    setters! {
        /// Depthwise outputs per channel; 1 by default.
        depth_multiplier: usize,
        /// Initial depthwise kernel; Glorot uniform by default.
        depthwise_initializer: Initializer,
        /// Initial pointwise kernel; Glorot uniform by default.
        pointwise_initializer: Initializer,
        /// Penalty on the depthwise kernel.
        depthwise_regularizer: Option<Regularizer>,
        /// Penalty on the pointwise kernel.
        pointwise_regularizer: Option<Regularizer>,
    }
}

layer_builder!(SeparableConv2D);

impl Layer for SeparableConv2D {
    layer_boilerplate!("SeparableConv2D");
    takes_what_follows!();

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let [h, w, c] = image(inputs)?;
        if self.filters == 0 {
            return Err("filters must be at least 1, got 0".into());
        }
        let between = outputs(c, self.depth_multiplier)?;
        let window =
            Window { kernel: self.kernel_size, strides: self.strides, dilation: self.dilation_rate, padding: self.padding };
        let depthwise = window.shape([h, w, c], between, c)?;
        let one = Pair(1, 1);
        let across = Window { kernel: one, strides: one, dilation: one, padding: Padding::Valid };
        let pointwise = across.shape([depthwise.out_h(), depthwise.out_w(), between], self.filters, 1)?;
        let kernel = vec![self.kernel_size.0, self.kernel_size.1, c, self.depth_multiplier];
        let mut weights = vec![
            WeightSpec::new("depthwise_kernel", kernel, &self.depthwise_initializer, self.depthwise_regularizer.as_ref()),
            WeightSpec::new(
                "pointwise_kernel",
                vec![1, 1, between, self.filters],
                &self.pointwise_initializer,
                self.pointwise_regularizer.as_ref(),
            ),
        ];
        if self.use_bias {
            weights.push(WeightSpec::new("bias", vec![self.filters], &self.bias_initializer, self.bias_regularizer.as_ref()));
        }
        let mut steps = lower_conv(depthwise, vec![0], false, &Activation::default())?;
        steps.extend(lower_conv(pointwise, (1..weights.len()).collect(), self.use_bias, &self.activation)?);
        Ok(Built { weights, steps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_keras_shapes() {
        let built = SeparableConv2D::new(7, 3).depth_multiplier(2).strides(2usize).build(&[vec![9, 7, 5]]).unwrap();
        let shapes: Vec<_> = built.weights.iter().map(|w| (w.name, w.shape.clone())).collect();
        assert_eq!(shapes, [("depthwise_kernel", vec![3, 3, 5, 2]), ("pointwise_kernel", vec![1, 1, 10, 7]), ("bias", vec![7])]);
        assert_eq!(built.steps.last().unwrap().output, [4, 3, 7]);
    }

    #[test]
    fn filters_are_needed() {
        assert_eq!(SeparableConv2D::new(0, 3).build(&[vec![6, 6, 5]]).unwrap_err(), "filters must be at least 1, got 0");
    }
}
