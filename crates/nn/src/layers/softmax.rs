//! `Softmax`: exp(x) over its sum, along an axis.

use super::axis::Axis;
use super::permute::on_axes;
use super::{Built, Layer, Shape, single};
use crate::op::{Backward, Forward, Logits, Op};
use crate::program::{Call, Operation};
use maobi_kernels::softmax;

keras_layer! {
    /// Softmax over an axis: `[batch, …, classes]` → the same shape, the values along `axis` in (0, 1) and summing to 1.
    ///
    /// Keras file: `layers/activations/softmax.py`.
    pub struct Softmax("softmax") {
        /// The axis of the classes: the last one, −1 by default.
        axis: Axis = Axis(-1),
    }
}

impl Layer for Softmax {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        let axis = self.axis.resolve(shape)?;
        let columns = shape[axis];
        Ok(on_axes(shape, &[axis], SoftmaxOp { rows: shape.iter().product::<usize>() / columns, columns }))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let Axis(axis) = self.axis;
        if axis != -1 && axis != call.shape().len() as i64 {
            return Err(format!("axis must be the last one (-1) in this format, got {axis}; save the model as .keras"));
        }
        Ok(call.step(Operation::Softmax))
    }
}

/// Softmax of rows.
#[derive(Debug)]
pub(crate) struct SoftmaxOp {
    rows: usize,
    columns: usize,
}

impl SoftmaxOp {
    pub(crate) fn over_last(shape: &Shape) -> Result<Self, String> {
        let (&columns, outer) = shape.split_last().ok_or("softmax needs an axis after the batch")?;
        Ok(SoftmaxOp { rows: outer.iter().product(), columns })
    }
}

impl Op for SoftmaxOp {
    fn logits(&self) -> Option<Logits> {
        Some(Logits::Softmax)
    }

    fn forward(&self, c: Forward<'_>) {
        softmax::forward(c.samples * self.rows, self.columns, c.inputs[0], c.output);
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            softmax::backward(c.samples * self.rows, self.columns, c.output, c.d_output, dx);
        }
    }
}
