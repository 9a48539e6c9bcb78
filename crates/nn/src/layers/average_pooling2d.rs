//! `AveragePooling2D`: the mean of each window.

use super::arguments::{ChannelsLast, Padding, Pair};
use super::pool_window::pool_shape;
use super::{Built, Layer, Shape};
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation, Pooling, Window};
use maobi_kernels::pooling::{self, Pool2dShape};

keras_layer! {
    /// `[batch, height, width, channels]` → the mean of every `pool_size` window, `strides` apart (by default `pool_size`).
    ///
    /// `same` padding does not count: the mean is over the real pixels. Keras file: `layers/pooling/average_pooling2d.py`.
    pub struct AveragePooling2D("average_pooling2d") new(
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

impl Layer for AveragePooling2D {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = pool_shape(inputs, self.pool_size, self.strides, self.padding)?;
        let output = vec![shape.out_h, shape.out_w, shape.c];
        Ok(Built::op(AveragePoolOp { shape }, output))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let strides = self.strides.unwrap_or(self.pool_size);
        let window = Window::new(call.input_shape(), self.pool_size, strides, Pair(1, 1), self.padding)?;
        Ok(call.step(Operation::Pool { kind: Pooling::Average, window }))
    }
}

#[derive(Debug)]
struct AveragePoolOp {
    shape: Pool2dShape,
}

impl Op for AveragePoolOp {
    fn forward(&self, c: Forward<'_>) {
        pooling::avg_forward(&self.shape, c.samples, c.inputs[0], c.output);
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            pooling::avg_backward(&self.shape, c.samples, c.d_output, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::arguments::Padding;
    use crate::layers::testing::forward;

    #[test]
    fn padding_does_not_count() {
        let layer = AveragePooling2D::new(2).padding(Padding::Same);
        let y = forward(&layer, &[(&[3, 3, 1], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0])]);
        assert_eq!(y, [3.0, 4.5, 7.5, 9.0]);
    }

    #[test]
    fn a_window_that_does_not_fit_is_refused() {
        let error = AveragePooling2D::new(4).build(&[vec![3, 5, 1]]).unwrap_err();
        assert!(error.starts_with("height: a window of 4 does not fit into 3"), "{error}");
    }
}
