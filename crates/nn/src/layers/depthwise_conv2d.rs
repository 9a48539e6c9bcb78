//! `DepthwiseConv2D`: every channel is convolved on its own.

use super::arguments::{ChannelsLast, Padding, Pair};
use super::conv2d::{lower_conv, windowed};
use super::{Built, Layer, Shape, WeightSpec, image};
use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::initializers::{GlorotUniform, Initializer, Zeros};
use crate::object::{Config, Object};
use crate::program::{Call, Operation};
use crate::regularizers::Regularizer;

keras_layer! {
    /// `depth_multiplier` convolutions of each channel: `[batch, height, width, channels]` → `[batch, out_height, out_width, channels ·
    /// depth_multiplier]` (the outputs of a channel side by side), kernel `[kernel_height, kernel_width, channels, depth_multiplier]`,
    /// bias `[channels · depth_multiplier]`.
    ///
    /// Keras file: `layers/convolutional/depthwise_conv2d.py`.
    pub struct DepthwiseConv2D("depthwise_conv2d") new(
        /// Height and width of the windows, in pixels.
        kernel_size: Pair,
    ) {
        /// Outputs per channel; 1 by default.
        depth_multiplier: usize = 1,
        /// Step of the window; 1 by default.
        strides: Pair = Pair(1, 1),
        /// Valid or same; valid by default.
        padding: Padding = Padding::Valid,
        /// Channels last, the one order there is.
        data_format: ChannelsLast = ChannelsLast,
        /// Distance of the window's taps; 1 by default.
        dilation_rate: Pair = Pair(1, 1),
        /// Applied to the output; `"linear"` by default.
        activation: Activation = Activation::default(),
        /// Whether a bias is added; true by default.
        use_bias: bool = true,
        /// Initial kernel; Glorot uniform by default.
        depthwise_initializer: Initializer = GlorotUniform::new().into(),
        /// Initial bias; zeros by default.
        bias_initializer: Initializer = Zeros::new().into(),
        /// Penalty on the kernel.
        depthwise_regularizer: Option<Regularizer> = None,
        /// Penalty on the bias.
        bias_regularizer: Option<Regularizer> = None,
        /// What training does to the depthwise kernel after each step; nothing by default.
        depthwise_constraint: Option<Constraint> = None,
        /// What training does to the bias after each step; nothing by default.
        bias_constraint: Option<Constraint> = None,
    } null { activity_regularizer }
}

windowed!(DepthwiseConv2D);

impl Layer for DepthwiseConv2D {
    takes_what_follows!();

    /// Keras writes the depth multiplier first.
    fn config(&self) -> Config {
        let mut config = Config::from_iter([("depth_multiplier".to_string(), self.depth_multiplier.into())]);
        config.append(&mut self.arguments());
        config
    }

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let [h, w, c] = image(inputs)?;
        let filters = outputs(c, self.depth_multiplier)?;
        let shape = self.window().shape([h, w, c], filters, c)?;
        let kernel = vec![self.kernel_size.0, self.kernel_size.1, c, self.depth_multiplier];
        let mut weights = vec![
            WeightSpec::new("kernel", kernel, &self.depthwise_initializer, self.depthwise_regularizer.as_ref())
                .constraint(self.depthwise_constraint.as_ref()),
        ];
        if self.use_bias {
            weights.push(
                WeightSpec::new("bias", vec![filters], &self.bias_initializer, self.bias_regularizer.as_ref())
                    .constraint(self.bias_constraint.as_ref()),
            );
        }
        // A grouped convolution with a group per channel: its kernel [kh, kw, 1, c · multiplier] has the same order in memory.
        let steps = lower_conv(shape, (0..weights.len()).collect(), self.use_bias, &self.activation)?;
        Ok(Built { weights, steps })
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let window = self.window().operation(call)?;
        let channels = call.input_shape()[2];
        let (kernel, bias) = (call.needs("kernel")?, call.weight("bias"));
        let filters = outputs(channels, self.depth_multiplier)?;
        let value = call.step(Operation::Conv { kernel, bias, window, groups: channels, filters });
        call.activation(&self.activation, value)
    }

    fn attribute<'a>(&self, weight: &'a str) -> &'a str {
        if weight == "kernel" { "depthwise_kernel" } else { weight }
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
