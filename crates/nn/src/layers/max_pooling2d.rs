//! `MaxPooling2D`: the largest value of each window.

use super::pool_window::{PoolWindow, pooling_builder};
use super::{Base, Built, Layer, Shape};
use crate::op::{Backward, Forward, Op};
use maobi_kernels::pooling::{self, Pool2dShape};
use serde::{Deserialize, Serialize};

/// `[batch, height, width, channels]` → the maximum of every `pool_size` window, `strides` apart (by default `pool_size`).
///
/// `same` padding never wins a maximum. Keras file: `layers/pooling/max_pooling2d.py`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MaxPooling2D {
    #[serde(skip)]
    pub(crate) base: Base,
    #[serde(flatten)]
    window: PoolWindow,
}

layer_builder!(MaxPooling2D);
pooling_builder!(MaxPooling2D);

impl Layer for MaxPooling2D {
    layer_boilerplate!("MaxPooling2D");

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = self.window.shape(inputs)?;
        let output = vec![shape.out_h, shape.out_w, shape.c];
        Ok(Built::op(MaxPoolOp { shape }, output))
    }
}

/// Backward finds the maximum anew instead of storing where it was.
#[derive(Debug)]
struct MaxPoolOp {
    shape: Pool2dShape,
}

impl Op for MaxPoolOp {
    fn forward(&self, c: Forward<'_>) {
        pooling::max_forward(&self.shape, c.samples, c.inputs[0], c.output);
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            pooling::max_backward(&self.shape, c.samples, c.inputs[0], c.output, c.d_output, dx);
        }
    }
}
