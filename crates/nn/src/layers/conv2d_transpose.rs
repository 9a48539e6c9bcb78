//! `Conv2DTranspose`: what a convolution does to gradients, as a layer.

use super::activation::{ActivationOp, lower_activation};
use super::arguments::{ChannelsLast, Padding, Pair};
use super::conv2d::Window;
use super::{Built, Layer, Shape, WeightSpec, check_size, image};
use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::initializers::{GlorotUniform, Initializer, Zeros};
use crate::op::{Backward, Forward, Op};
use crate::program::{self, Call, Operation};
use crate::regularizers::Regularizer;
use maobi_kernels::conv::{BackwardPass, Conv2d, ForwardPass, WeightGradients, Weights};
use maobi_kernels::pointwise;
use maobi_kernels::reduce::column_sums;

keras_layer! {
    /// Each pixel times the kernel, laid `strides` apart and added up: `[batch, height, width, in]` → `[batch, out_height, out_width,
    /// filters]`, kernel `[kernel_height, kernel_width, filters, in]`, bias `[filters]`.
    ///
    /// It is the pass back of a convolution from the output to the input; each length grows about `strides` times. Keras file:
    /// `layers/convolutional/conv2d_transpose.py`, lengths in `backend/common/backend_utils.py`.
    pub struct Conv2DTranspose("conv2d_transpose") new(
        /// Number of outputs, 1 or more.
        filters: usize,
        /// Height and width of the kernel, in pixels.
        kernel_size: Pair,
    ) {
        /// Distance of the kernel's copies; 1 by default.
        strides: Pair = Pair(1, 1),
        /// Valid keeps all that the kernel reaches, same makes length · stride of it; valid by default.
        padding: Padding = Padding::Valid,
        /// Rows and columns added at the end, fewer than `strides`; by default as many as `padding` needs.
        output_padding: Option<Pair> = None,
        /// Channels last, the one order there is.
        data_format: ChannelsLast = ChannelsLast,
        /// Distance of the kernel's taps; 1 by default.
        dilation_rate: Pair = Pair(1, 1),
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
        /// What training does to the kernel after each step; nothing by default.
        kernel_constraint: Option<Constraint> = None,
        /// What training does to the bias after each step; nothing by default.
        bias_constraint: Option<Constraint> = None,
    } null { activity_regularizer }
}

impl Conv2DTranspose {
    /// The output's length for `n` pixels.
    fn length(&self, n: usize, kernel: usize, stride: usize, dilation: usize, extra: Option<usize>) -> Result<usize, String> {
        if extra.is_some_and(|extra| extra >= stride) {
            return Err(format!("output_padding must be below strides ({stride}), got {}", extra.unwrap_or_default()));
        }
        let reach = (kernel - 1) * dilation + 1;
        Ok(match (self.padding, extra) {
            (Padding::Valid, None) => (n - 1) * stride + reach.max(stride),
            (Padding::Valid, Some(extra)) => (n - 1) * stride + reach + extra,
            (Padding::Same, None) => n * stride,
            (Padding::Same, Some(extra)) => (n - 1) * stride + reach % 2 + extra,
        })
    }
}

impl Layer for Conv2DTranspose {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let [h, w, c_in] = image(inputs)?;
        if self.filters == 0 {
            return Err("filters must be at least 1, got 0".into());
        }
        let (kh, kw) = self.kernel_size.positive("kernel_size")?;
        let (down, across) = self.strides.positive("strides")?;
        let (dilation_h, dilation_w) = self.dilation_rate.positive("dilation_rate")?;
        let out_h = self.length(h, kh, down, dilation_h, self.output_padding.map(|extra| extra.0))?;
        let out_w = self.length(w, kw, across, dilation_w, self.output_padding.map(|extra| extra.1))?;
        let output = vec![out_h, out_w, self.filters];
        check_size("the output", &output)?;
        let window =
            Window { kernel: self.kernel_size, strides: self.strides, dilation: self.dilation_rate, padding: self.padding };
        let back = window.shape([out_h, out_w, self.filters], c_in, 1)?;
        if (back.out_h(), back.out_w()) != (h, w) {
            return Err(format!(
                "output_padding does not fit padding \"same\" and a kernel_size of [{kh}, {kw}]: the output of [{out_h}, {out_w}] pixels \
                 does not come from the [{h}, {w}] that it got; leave output_padding out"
            ));
        }
        let kernel = vec![kh, kw, self.filters, c_in];
        let mut weights = vec![
            WeightSpec::new("kernel", kernel, &self.kernel_initializer, self.kernel_regularizer.as_ref())
                .constraint(self.kernel_constraint.as_ref()),
        ];
        if self.use_bias {
            weights.push(
                WeightSpec::new("bias", vec![self.filters], &self.bias_initializer, self.bias_regularizer.as_ref())
                    .constraint(self.bias_constraint.as_ref()),
            );
        }
        let (activation, separate) = lower_activation(&self.activation, &output)?;
        let op = ConvTransposeOp { back: Conv2d::new(back), filters: self.filters, bias: self.use_bias, activation };
        let used = (0..weights.len()).collect();
        let mut built = Built { weights, steps: Vec::new() }.then(op, used, output);
        built.steps.extend(separate);
        Ok(built)
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let (kernel, bias) = (call.needs("kernel")?, call.weight("bias"));
        let made = call.shape().to_vec();
        let window = program::Window::new(&made, self.kernel_size, self.strides, self.dilation_rate, self.padding)?;
        let value = call.step(Operation::ConvTranspose { kernel, bias, window });
        call.activation(&self.activation, value)
    }
}

/// A convolution's input gradient, bias and activation.
#[derive(Debug)]
struct ConvTransposeOp {
    /// The convolution that leads from the output to the input.
    back: Conv2d,
    filters: usize,
    bias: bool,
    activation: ActivationOp,
}

impl Op for ConvTransposeOp {
    fn scratch_len(&self) -> usize {
        self.back.scratch_len()
    }

    fn packed_len(&self) -> usize {
        self.back.packed_len()
    }

    fn pack(&self, weights: &[&[f32]], packed: &mut [f32]) {
        self.back.pack(weights[0], packed);
    }

    fn forward(&self, c: Forward<'_>) {
        let Forward { samples, packed, scratch, .. } = c;
        self.back.backward(BackwardPass {
            samples,
            x: &[],
            dy: c.inputs[0],
            packed,
            weights: None,
            dx: Some(&mut *c.output),
            scratch,
        });
        if self.bias {
            pointwise::add_bias(c.output, c.weights[1]);
        }
        pointwise::forward_in_place(self.activation.kernel, c.output);
    }

    fn backward(&self, c: Backward<'_, '_>) {
        let Backward { samples, packed, scratch, .. } = c;
        pointwise::backward_in_place(self.activation.kernel, c.output, c.d_output);
        if let Some(dx) = c.d_inputs[0].as_deref_mut() {
            let weights = Weights { packed, bias: None, relu: false };
            self.back.forward(ForwardPass { samples, x: c.d_output, weights, y: dx, scratch: &mut *scratch });
        }
        let (kernel, bias) = c.d_weights.split_at_mut(1);
        if let Some(gradient) = kernel[0].as_mut() {
            let weights = Some(WeightGradients { dw: gradient.data, db: None, accumulate: gradient.accumulate });
            let pass = BackwardPass { samples, x: c.d_output, dy: c.inputs[0], packed, weights, dx: None, scratch };
            self.back.backward(pass);
        }
        if let Some(gradient) = bias.first_mut().and_then(Option::as_mut) {
            let rows = c.d_output.len() / self.filters;
            column_sums(rows, self.filters, c.d_output, gradient.data, gradient.accumulate);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(layer: Conv2DTranspose) -> Result<Shape, String> {
        layer.build(&[vec![5, 6, 3]]).map(|built| built.steps[0].output.clone())
    }

    #[test]
    fn lengths_are_keras() {
        let layer = || Conv2DTranspose::new(4, 3).strides(2);
        assert_eq!(output(layer()), Ok(vec![11, 13, 4]));
        assert_eq!(output(layer().padding(Padding::Same)), Ok(vec![10, 12, 4]));
        assert_eq!(output(layer().output_padding((1, 0))), Ok(vec![12, 13, 4]));
        assert_eq!(output(layer().padding(Padding::Same).output_padding((1, 0))), Ok(vec![10, 11, 4]));
        assert_eq!(output(Conv2DTranspose::new(4, 1).strides(3)), Ok(vec![15, 18, 4]));
    }

    #[test]
    fn arguments_that_do_not_fit_are_named() {
        let error = |layer: Conv2DTranspose| output(layer).unwrap_err();
        assert_eq!(error(Conv2DTranspose::new(4, 3).output_padding(1)), "output_padding must be below strides (1), got 1");
        let even = Conv2DTranspose::new(4, 2).strides(2).padding(Padding::Same).output_padding(0);
        assert!(error(even).contains("leave output_padding out"));
        assert!(error(Conv2DTranspose::new(1 << 20, 3).strides(1 << 16)).contains("too large"));
        assert_eq!(error(Conv2DTranspose::new(0, 3)), "filters must be at least 1, got 0");
    }
}
