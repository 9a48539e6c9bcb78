//! `Conv1D`: output = activation(input ∗ kernel + bias) along the steps of a sequence, computed as a `Conv2D` of height 1.

use super::arguments::{ChannelsLast, Padding, Pair, SequencePadding, Single};
use super::conv2d::{Window, lower_conv};
use super::sequence::{as_image, on_image, sequence};
use super::{Built, Layer, Shape, WeightSpec, check_size};
use crate::activations::Activation;
use crate::initializers::{GlorotUniform, Initializer, Zeros};
use crate::program::{self, Call, Operation};
use crate::regularizers::Regularizer;

keras_layer! {
    /// A convolution along one axis: `[batch, steps, in]` → `[batch, out_steps, filters]`, kernel `[kernel_size, in / groups, filters]`,
    /// bias `[filters]`.
    ///
    /// Keras file: `layers/convolutional/conv1d.py`.
    pub struct Conv1D("conv1d") new(
        /// Number of outputs, 1 or more.
        filters: usize,
        /// Length of the windows, in steps.
        kernel_size: Single,
    ) {
        /// Step of the window; 1 by default.
        strides: Single = Single(1),
        /// Valid, same or causal; valid by default.
        padding: SequencePadding = SequencePadding::Valid,
        /// Channels last, the one order there is.
        data_format: ChannelsLast = ChannelsLast,
        /// Distance of the window's taps; 1 by default.
        dilation_rate: Single = Single(1),
        /// Number of groups into which channels are split; 1 by default.
        groups: usize = 1,
        /// Applied to the output; `"linear"` by default.
        activation: Activation = Activation::default(),
        /// Whether a bias is added; true by default.
        use_bias: bool = true,
        /// Initial kernel; Glorot uniform by default.
        kernel_initializer: Initializer = GlorotUniform::new().into(),
        /// Initial bias; zeros by default.
        bias_initializer: Initializer = Zeros::new().into(),
        /// Penalty on the kernel.
        kernel_regularizer: Option<Regularizer> = None,
        /// Penalty on the bias.
        bias_regularizer: Option<Regularizer> = None,
    } null { activity_regularizer, kernel_constraint, bias_constraint }
}

impl Conv1D {
    fn window(&self) -> Window {
        let row = |Single(length)| Pair(1, length);
        let padding = if self.padding == SequencePadding::Same { Padding::Same } else { Padding::Valid };
        Window { kernel: row(self.kernel_size), strides: row(self.strides), dilation: row(self.dilation_rate), padding }
    }

    /// Zeros before the first step.
    fn before(&self) -> usize {
        let reach = self.kernel_size.0.saturating_sub(1) * self.dilation_rate.0;
        if self.padding == SequencePadding::Causal { reach } else { 0 }
    }
}

impl Layer for Conv1D {
    takes_what_follows!();

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let [steps, channels] = sequence(inputs)?;
        self.kernel_size.positive("kernel_size")?;
        let (stride, dilation) = (self.strides.positive("strides")?, self.dilation_rate.positive("dilation_rate")?);
        if stride > 1 && dilation > 1 {
            return Err(format!("strides {stride} and dilation_rate {dilation} cannot both be above 1"));
        }
        if self.filters == 0 {
            return Err("filters must be at least 1, got 0".into());
        }
        if self.groups == 0 || !channels.is_multiple_of(self.groups) || !self.filters.is_multiple_of(self.groups) {
            return Err(format!(
                "groups must divide both the input channels ({channels}) and filters ({}), got {}",
                self.filters, self.groups
            ));
        }
        let before = self.before();
        let mut shape = self.window().shape([1, steps + before, channels], self.filters, self.groups)?;
        (shape.w, shape.pad.left) = (steps, shape.pad.left + before);
        check_size("the output", &[shape.out_w(), self.filters])?;
        let kernel = vec![self.kernel_size.0, channels / self.groups, self.filters];
        let mut weights = vec![WeightSpec::new("kernel", kernel, &self.kernel_initializer, self.kernel_regularizer.as_ref())];
        if self.use_bias {
            weights.push(WeightSpec::new("bias", vec![self.filters], &self.bias_initializer, self.bias_regularizer.as_ref()));
        }
        let mut steps = lower_conv(shape, (0..weights.len()).collect(), self.use_bias, &self.activation)?;
        // The axis of height 1 is ours alone.
        for step in &mut steps {
            step.output.remove(0);
        }
        Ok(Built { weights, steps })
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let (kernel, bias) = (call.needs("kernel")?, call.weight("bias"));
        let (mut image, mut shape) = as_image(call)?;
        if self.before() > 0 {
            shape[1] += self.before();
            image = call.part("causal", Operation::Pad([[0, 0], [self.before(), 0]]), vec![image], &shape);
        }
        let Window { kernel: size, strides, dilation, padding } = self.window();
        let window = program::Window::new(&shape, size, strides, dilation, padding)?;
        let what = Operation::Conv { kernel, bias, window, groups: self.groups, filters: self.filters };
        let value = on_image(call, what, image);
        call.activation(&self.activation, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(layer: Conv1D) -> Result<Shape, String> {
        layer.build(&[vec![9, 4]]).map(|built| built.steps[0].output.clone())
    }

    #[test]
    fn causal_outputs_are_as_long_as_same_ones() {
        let layer = || Conv1D::new(3, 4).strides(2);
        assert_eq!(output(layer()), Ok(vec![3, 3]));
        assert_eq!(output(layer().padding(Padding::Same)), Ok(vec![5, 3]));
        assert_eq!(output(layer().padding(SequencePadding::Causal)), Ok(vec![5, 3]));
        assert_eq!(output(Conv1D::new(3, 4).dilation_rate(2)), Ok(vec![3, 3]));
    }

    #[test]
    fn arguments_that_do_not_fit_are_named() {
        let error = |layer: Conv1D| output(layer).unwrap_err();
        assert_eq!(error(Conv1D::new(0, 3)), "filters must be at least 1, got 0");
        assert_eq!(error(Conv1D::new(3, 0)), "kernel_size must be at least 1, got 0");
        assert_eq!(error(Conv1D::new(3, 3).strides(0)), "strides must be at least 1, got 0");
        assert_eq!(error(Conv1D::new(3, 1 << 17)), "kernel_size must be at most 65536, got 131072");
        assert_eq!(error(Conv1D::new(3, 3).groups(3)), "groups must divide both the input channels (4) and filters (3), got 3");
        assert_eq!(error(Conv1D::new(3, 3).strides(2).dilation_rate(2)), "strides 2 and dilation_rate 2 cannot both be above 1");
        assert!(error(Conv1D::new(3, 10)).contains("a window of 10 does not fit into 9"));
        assert_eq!(
            Conv1D::new(3, 3).build(&[vec![9]]).unwrap_err(),
            "expects an input of shape [batch, steps, channels], got (None, 9); put a Reshape before it or give InputLayer two axes"
        );
    }
}
