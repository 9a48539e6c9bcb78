//! `Softmax`: exp(x) over its sum, along the last axis.

use super::{Base, Built, Layer, Shape, single};
use crate::op::{Backward, Forward, Logits, Op};
use maobi_kernels::softmax;
use serde::{Deserialize, Serialize};

/// Softmax over the last axis: `[batch, …, classes]` → the same shape, each row in (0, 1) and summing to 1.
///
/// Keras file: `layers/activations/softmax.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Softmax {
    #[serde(skip)]
    pub(crate) base: Base,
    axis: i64,
}

impl Default for Softmax {
    fn default() -> Self {
        Softmax { base: Base::default(), axis: -1 }
    }
}

impl Softmax {
    /// Softmax over the last axis.
    pub fn new() -> Self {
        Softmax::default()
    }
}

layer_builder!(Softmax);

impl Layer for Softmax {
    layer_boilerplate!("Softmax");

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        // Keras counts the batch as axis 0.
        if self.axis != -1 && self.axis != shape.len() as i64 {
            return Err(format!("axis must be the last one (-1), got {}", self.axis));
        }
        Ok(Built::op(SoftmaxOp::over_last(shape)?, shape.clone()))
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
