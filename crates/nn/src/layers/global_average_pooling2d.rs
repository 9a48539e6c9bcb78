//! `GlobalAveragePooling2D`: the mean of each channel.

use super::arguments::ChannelsLast;
use super::{Built, Layer, Shape, image};
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation, Pooling};
use maobi_kernels::pooling;

keras_layer! {
    /// `[batch, height, width, channels]` → the mean over all pixels, `[batch, channels]`, or `[batch, 1, 1, channels]` with `keepdims`.
    ///
    /// Keras file: `layers/pooling/global_average_pooling2d.py`.
    pub struct GlobalAveragePooling2D("global_average_pooling2d") {
        /// Channels last, the one order there is.
        data_format: ChannelsLast = ChannelsLast,
        /// Whether height and width stay, as axes of length 1; false by default.
        keepdims: bool = false,
    }
}

impl Layer for GlobalAveragePooling2D {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let [h, w, c] = image(inputs)?;
        let output = if self.keepdims { vec![1, 1, c] } else { vec![c] };
        Ok(Built::op(GlobalAveragePoolOp { spatial: h * w, channels: c }, output))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        Ok(call.step(Operation::GlobalPool { kind: Pooling::Average, keepdims: self.keepdims }))
    }
}

#[derive(Debug)]
struct GlobalAveragePoolOp {
    spatial: usize,
    channels: usize,
}

impl Op for GlobalAveragePoolOp {
    fn forward(&self, c: Forward<'_>) {
        pooling::global_avg_forward(c.samples, self.spatial, self.channels, c.inputs[0], c.output);
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            pooling::global_avg_backward(c.samples, self.spatial, self.channels, c.d_output, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn pixels_are_gone_or_kept_as_axes() {
        let shape = vec![2, 2, 2];
        assert_eq!(GlobalAveragePooling2D::new().build(std::slice::from_ref(&shape)).unwrap().steps[0].output, [2]);
        let kept = GlobalAveragePooling2D::new().keepdims(true);
        assert_eq!(kept.build(&[shape]).unwrap().steps[0].output, [1, 1, 2]);
        assert_eq!(forward(&kept, &[(&[2, 2, 2], &[1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0])]), [2.5, 25.0]);
    }
}
