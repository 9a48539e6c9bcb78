//! `MaxPooling2D`: the largest value of each window.

use super::arguments::{ChannelsLast, Padding, Pair};
use super::pool_window::pool_shape;
use super::{Built, Layer, Shape};
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation, Pooling, Window};
use maobi_kernels::pooling::{self, Pool2dShape};

keras_layer! {
    /// `[batch, height, width, channels]` → the maximum of every `pool_size` window, `strides` apart (by default `pool_size`).
    ///
    /// `same` padding never wins a maximum. Keras file: `layers/pooling/max_pooling2d.py`.
    pub struct MaxPooling2D("max_pooling2d") new(
        /// Height and width of a window; 2 where a configuration does not say.
        pool_size: Pair = Pair(2, 2),
    ) {
        /// Valid or same; valid by default.
        padding: Padding = Padding::Valid,
        /// Step from window to window; the pool size by default.
        strides: Option<Pair> = None,
        /// Channels last, the one order there is.
        data_format: ChannelsLast = ChannelsLast,
    }
}

impl Layer for MaxPooling2D {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = pool_shape(inputs, self.pool_size, self.strides, self.padding)?;
        let output = vec![shape.out_h, shape.out_w, shape.c];
        Ok(Built::op(MaxPoolOp { shape }, output))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let strides = self.strides.unwrap_or(self.pool_size);
        let window = Window::new(call.input_shape(), self.pool_size, strides, Pair(1, 1), self.padding)?;
        Ok(call.step(Operation::Pool { kind: Pooling::Max, window }))
    }
}

/// Backward finds the maximum anew instead of storing where it was.
#[derive(Debug)]
pub(super) struct MaxPoolOp {
    pub(super) shape: Pool2dShape,
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
