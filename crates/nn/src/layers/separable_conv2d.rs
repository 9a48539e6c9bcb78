//! `SeparableConv2D`: a depthwise convolution, then a 1×1 convolution across channels.

use super::arguments::{ChannelsLast, Padding, Pair};
use super::conv2d::{Window, lower_conv, windowed};
use super::depthwise_conv2d::outputs;
use super::{Built, Layer, Shape, WeightSpec, image};
use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::initializers::{GlorotUniform, Initializer, Zeros};
use crate::object::{Config, Object};
use crate::program::{Call, Operation};
use crate::regularizers::Regularizer;

keras_layer! {
    /// activation((input ∗ depthwise kernel) · pointwise kernel + bias): `[batch, height, width, channels]` → `[batch, out_height,
    /// out_width, filters]`; depthwise kernel `[kernel_height, kernel_width, channels, depth_multiplier]`, pointwise kernel `[1, 1,
    /// channels · depth_multiplier, filters]`, bias `[filters]`.
    ///
    /// Keras file: `layers/convolutional/separable_conv2d.py`.
    pub struct SeparableConv2D("separable_conv2d") new(
        /// Number of outputs, 1 or more.
        filters: usize,
        /// Height and width of the windows, in pixels.
        kernel_size: Pair,
    ) {
        /// Depthwise outputs per channel; 1 by default.
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
        /// Initial depthwise kernel; Glorot uniform by default.
        depthwise_initializer: Initializer = GlorotUniform::new().into(),
        /// Initial pointwise kernel; Glorot uniform by default.
        pointwise_initializer: Initializer = GlorotUniform::new().into(),
        /// Initial bias; zeros by default.
        bias_initializer: Initializer = Zeros::new().into(),
        /// Penalty on the depthwise kernel.
        depthwise_regularizer: Option<Regularizer> = None,
        /// Penalty on the pointwise kernel.
        pointwise_regularizer: Option<Regularizer> = None,
        /// Penalty on the bias.
        bias_regularizer: Option<Regularizer> = None,
        /// What training does to the depthwise kernel after each step; nothing by default.
        depthwise_constraint: Option<Constraint> = None,
        /// What training does to the pointwise kernel after each step; nothing by default.
        pointwise_constraint: Option<Constraint> = None,
        /// What training does to the bias after each step; nothing by default.
        bias_constraint: Option<Constraint> = None,
    } null { activity_regularizer }
}

windowed!(SeparableConv2D);

/// The windows of the second convolution.
const ACROSS: Window = Window { kernel: Pair(1, 1), strides: Pair(1, 1), dilation: Pair(1, 1), padding: Padding::Valid };

impl Layer for SeparableConv2D {
    takes_what_follows!();

    /// Keras writes the depth multiplier first.
    fn config(&self) -> Config {
        let mut config = Config::from_iter([("depth_multiplier".to_string(), self.depth_multiplier.into())]);
        config.append(&mut self.arguments());
        config
    }

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let [h, w, c] = image(inputs)?;
        if self.filters == 0 {
            return Err("filters must be at least 1, got 0".into());
        }
        let between = outputs(c, self.depth_multiplier)?;
        let depthwise = self.window().shape([h, w, c], between, c)?;
        let pointwise = ACROSS.shape([depthwise.out_h(), depthwise.out_w(), between], self.filters, 1)?;
        let kernel = vec![self.kernel_size.0, self.kernel_size.1, c, self.depth_multiplier];
        let mut weights = vec![
            WeightSpec::new("depthwise_kernel", kernel, &self.depthwise_initializer, self.depthwise_regularizer.as_ref())
                .constraint(self.depthwise_constraint.as_ref()),
            WeightSpec::new(
                "pointwise_kernel",
                vec![1, 1, between, self.filters],
                &self.pointwise_initializer,
                self.pointwise_regularizer.as_ref(),
            )
            .constraint(self.pointwise_constraint.as_ref()),
        ];
        if self.use_bias {
            weights.push(
                WeightSpec::new("bias", vec![self.filters], &self.bias_initializer, self.bias_regularizer.as_ref())
                    .constraint(self.bias_constraint.as_ref()),
            );
        }
        let mut steps = lower_conv(depthwise, vec![0], false, &Activation::default())?;
        steps.extend(lower_conv(pointwise, (1..weights.len()).collect(), self.use_bias, &self.activation)?);
        Ok(Built { weights, steps })
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let window = self.window().operation(call)?;
        let channels = call.input_shape()[2];
        let (kernel, filters) = (call.needs("depthwise_kernel")?, outputs(channels, self.depth_multiplier)?);
        let shape = [call.shape()[0], call.shape()[1], filters];
        let depthwise = Operation::Conv { kernel, bias: None, window, groups: channels, filters };
        let between = call.part("depthwise", depthwise, vec![call.input()], &shape);
        let window = ACROSS.operation(call)?;
        let (kernel, bias) = (call.needs("pointwise_kernel")?, call.weight("bias"));
        let pointwise = Operation::Conv { kernel, bias, window, groups: 1, filters: self.filters };
        let shape = call.shape().to_vec();
        let value = call.part("pointwise", pointwise, vec![between], &shape);
        call.activation(&self.activation, value)
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
