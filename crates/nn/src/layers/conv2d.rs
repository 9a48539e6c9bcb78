//! `Conv2D`: output = activation(input ∗ kernel + bias).

use super::activation::{ActivationOp, lower_activation};
use super::arguments::{ChannelsLast, Padding, Pair};
use super::{Built, Layer, Shape, Step, WeightSpec, check_size, image};
use crate::activations::Activation;
use crate::constraints::Constraint;
use crate::initializers::{GlorotUniform, Initializer, Zeros};
use crate::op::{Backward, Forward, Op};
use crate::program::{self, Call, Operation};
use crate::regularizers::Regularizer;
use maobi_kernels::conv::{self, BackwardPass, Conv2dShape, ForwardPass, WeightGradients, Weights};
use maobi_kernels::pointwise;

keras_layer! {
    /// A convolution (cross-correlation, as everywhere in the field): `[batch, height, width, in]` → `[batch, out_height, out_width,
    /// filters]`, kernel `[kernel_height, kernel_width, in / groups, filters]`, bias `[filters]`.
    ///
    /// Keras file: `layers/convolutional/conv2d.py`.
    pub struct Conv2D("conv2d") new(
        /// Number of outputs, 1 or more.
        filters: usize,
        /// Height and width of the windows, in pixels.
        kernel_size: Pair,
    ) {
        /// Step of the window; 1 by default.
        strides: Pair = Pair(1, 1),
        /// Valid or same; valid by default.
        padding: Padding = Padding::Valid,
        /// Channels last, the one order there is.
        data_format: ChannelsLast = ChannelsLast,
        /// Distance of the window's taps; 1 by default.
        dilation_rate: Pair = Pair(1, 1),
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
        /// What training does to the kernel after each step; nothing by default.
        kernel_constraint: Option<Constraint> = None,
        /// What training does to the bias after each step; nothing by default.
        bias_constraint: Option<Constraint> = None,
    } null { activity_regularizer }
}

windowed!(Conv2D);

impl Layer for Conv2D {
    takes_what_follows!();

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let [h, w, c_in] = image(inputs)?;
        if self.filters == 0 {
            return Err("filters must be at least 1, got 0".into());
        }
        if self.groups == 0 || !c_in.is_multiple_of(self.groups) || !self.filters.is_multiple_of(self.groups) {
            return Err(format!(
                "groups must divide both the input channels ({c_in}) and filters ({}), got {}",
                self.filters, self.groups
            ));
        }
        let shape = self.window().shape([h, w, c_in], self.filters, self.groups)?;
        let kernel = vec![self.kernel_size.0, self.kernel_size.1, c_in / self.groups, self.filters];
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
        let steps = lower_conv(shape, (0..weights.len()).collect(), self.use_bias, &self.activation)?;
        Ok(Built { weights, steps })
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let window = self.window().operation(call)?;
        let (kernel, bias) = (call.needs("kernel")?, call.weight("bias"));
        let value = call.step(Operation::Conv { kernel, bias, window, groups: self.groups, filters: self.filters });
        call.activation(&self.activation, value)
    }
}

/// The window arguments that all convolutions share.
pub(crate) struct Window {
    pub(crate) kernel: Pair,
    pub(crate) strides: Pair,
    pub(crate) dilation: Pair,
    pub(crate) padding: Padding,
}

impl Window {
    /// As exporters have it.
    pub(crate) fn operation(&self, call: &Call<'_>) -> Result<program::Window, String> {
        program::Window::new(call.input_shape(), self.kernel, self.strides, self.dilation, self.padding)
    }

    /// Checks the arguments against the input `[height, width, channels]`.
    pub(crate) fn shape(&self, [h, w, c_in]: [usize; 3], c_out: usize, groups: usize) -> Result<Conv2dShape, String> {
        let (kh, kw) = self.kernel.positive("kernel_size")?;
        let stride = self.strides.positive("strides")?;
        let dilation = self.dilation.positive("dilation_rate")?;
        if stride != (1, 1) && dilation != (1, 1) {
            return Err(format!("strides {stride:?} and dilation_rate {dilation:?} cannot both be above 1"));
        }
        let (_, top, bottom) =
            self.padding.resolve(h, (kh - 1) * dilation.0 + 1, stride.0).map_err(|e| format!("height: {e}"))?;
        let (_, left, right) = self.padding.resolve(w, (kw - 1) * dilation.1 + 1, stride.1).map_err(|e| format!("width: {e}"))?;
        check_size("the kernel", &[kh, kw, c_in / groups, c_out])?;
        check_size("the padded input", &[h + top + bottom, w + left + right, c_in])?;
        // The pass back pads the gradient of the output by what the kernel covers, on both sides.
        check_size("the padded gradient", &[h + 2 * kh * dilation.0, w + 2 * kw * dilation.1, c_out])?;
        let shape =
            Conv2dShape { h, w, c_in, c_out, kh, kw, stride, dilation, groups, pad: conv::Padding { top, bottom, left, right } };
        check_size("the output", &[shape.out_h(), shape.out_w(), c_out])?;
        Ok(shape)
    }
}

/// The windows of a layer with the arguments of a convolution.
macro_rules! windowed {
    ($type:ident) => {
        impl $type {
            fn window(&self) -> super::conv2d::Window {
                super::conv2d::Window {
                    kernel: self.kernel_size,
                    strides: self.strides,
                    dilation: self.dilation_rate,
                    padding: self.padding,
                }
            }
        }
    };
}
pub(super) use windowed;

/// The steps of a convolution with its bias (the second of `weights`) and activation.
pub(crate) fn lower_conv(
    shape: Conv2dShape,
    weights: Vec<usize>,
    bias: bool,
    activation: &Activation,
) -> Result<Vec<Step>, String> {
    let output = vec![shape.out_h(), shape.out_w(), shape.c_out];
    let (fused, separate) = lower_activation(activation, &output)?;
    let op = ConvOp { conv: conv::Conv2d::new(shape), bias, activation: fused };
    let mut steps = vec![Step { op: Box::new(op), weights, output }];
    steps.extend(separate);
    Ok(steps)
}

/// Convolution, bias and activation in one pass.
#[derive(Debug)]
struct ConvOp {
    conv: conv::Conv2d,
    bias: bool,
    activation: ActivationOp,
}

impl Op for ConvOp {
    fn scratch_len(&self) -> usize {
        self.conv.scratch_len()
    }

    fn packed_len(&self) -> usize {
        self.conv.packed_len()
    }

    fn pack(&self, weights: &[&[f32]], packed: &mut [f32]) {
        self.conv.pack(weights[0], packed);
    }

    fn forward(&self, c: Forward<'_>) {
        let relu = self.activation.is_relu();
        let weights = Weights { packed: c.packed, bias: self.bias.then(|| c.weights[1]), relu };
        let pass = ForwardPass { samples: c.samples, x: c.inputs[0], weights, y: c.output, scratch: c.scratch };
        if c.samples == 1 {
            self.conv.forward_one(c.pool, pass);
        } else {
            self.conv.forward(pass);
        }
        if !relu {
            pointwise::forward_in_place(self.activation.kernel, c.output);
        }
    }

    fn backward(&self, c: Backward<'_, '_>) {
        pointwise::backward_in_place(self.activation.kernel, c.output, c.d_output);
        let (kernel, bias) = c.d_weights.split_at_mut(1);
        let db = bias.first_mut().and_then(Option::as_mut).map(|g| &mut *g.data);
        let weights = kernel[0].as_mut().map(|g| WeightGradients { dw: g.data, db, accumulate: g.accumulate });
        let (samples, dx) = (c.samples, c.d_inputs[0].as_deref_mut());
        let pass = BackwardPass { samples, x: c.inputs[0], dy: c.d_output, packed: c.packed, weights, dx, scratch: c.scratch };
        self.conv.backward(pass);
    }
}
