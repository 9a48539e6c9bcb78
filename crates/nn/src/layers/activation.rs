//! `Activation`: an activation function as a layer, and how other layers lower their `activation` argument.

use super::{Built, Layer, PerChannel, Shape, Step, single};
use crate::activations::Activation as Function;
use crate::op::{Backward, Forward, Logits, Op};
use crate::program::Call;
use maobi_kernels::pointwise::{self, Activation as Kernel};

keras_layer! {
    /// Applies an activation function to every element (softmax: over the last axis).
    ///
    /// Keras file: `layers/activations/activation.py`.
    pub struct Activation("activation") new(
        /// The function.
        activation: Function = Function::default(),
    ) {}
}

impl Layer for Activation {
    fn per_channel(&self, _: &[&[f32]]) -> Option<PerChannel> {
        Some(PerChannel::Function(self.activation.clone()))
    }

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        Ok(Built { weights: Vec::new(), steps: vec![activation_step(&self.activation, shape)?] })
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        call.activation(&self.activation, call.input())
    }
}

/// One step that applies `function` to an input of `shape`.
pub(crate) fn activation_step(function: &Function, shape: &Shape) -> Result<Step, String> {
    let op: Box<dyn Op> = match function.check()? {
        Function::Softmax => Box::new(super::softmax::SoftmaxOp::over_last(shape)?),
        Function::Elementwise(kernel) => Box::new(ActivationOp { kernel: *kernel }),
        Function::Unknown(name) => return Err(format!("unknown activation \"{name}\"")),
    };
    Ok(Step { op, weights: Vec::new(), output: shape.clone() })
}

/// Splits a layer's `activation` into what is applied in place on the layer's own output and, where the derivative needs more
/// than that output (gelu, silu) or the loss wants the logits (softmax, sigmoid), a step of its own.
pub(crate) fn lower_activation(function: &Function, shape: &Shape) -> Result<(ActivationOp, Option<Step>), String> {
    let none = ActivationOp { kernel: Kernel::Linear };
    match function.check()? {
        Function::Elementwise(kernel) if *kernel != Kernel::Sigmoid && pointwise::derivative_from_output(*kernel) => {
            Ok((ActivationOp { kernel: *kernel }, None))
        }
        _ => Ok((none, Some(activation_step(function, shape)?))),
    }
}

/// y = f(x), element by element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActivationOp {
    pub(crate) kernel: Kernel,
}

impl ActivationOp {
    /// Plain max(x, 0), which kernels fuse.
    pub(crate) fn is_relu(&self) -> bool {
        self.kernel == Kernel::Relu { max_value: None, negative_slope: 0.0, threshold: 0.0 }
    }
}

impl Op for ActivationOp {
    fn logits(&self) -> Option<Logits> {
        (self.kernel == Kernel::Sigmoid).then_some(Logits::Sigmoid)
    }

    fn forward(&self, c: Forward<'_>) {
        pointwise::forward(self.kernel, c.inputs[0], c.output);
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            pointwise::backward(self.kernel, c.inputs[0], c.output, c.d_output, dx);
        }
    }
}
