//! `MaxPooling1D`: the largest value of each window of a sequence, computed as a `MaxPooling2D` of height 1.

use super::arguments::{ChannelsLast, Padding, Pair, Single};
use super::max_pooling2d::MaxPoolOp;
use super::pool_window::pool_shape;
use super::sequence::{as_image, on_image, sequence};
use super::{Built, Layer, Shape};
use crate::program::{Call, Operation, Pooling, Window};

keras_layer! {
    /// `[batch, steps, channels]` → the maximum of every window of `pool_size` steps, `strides` apart (by default `pool_size`):
    /// `[batch, out_steps, channels]`.
    ///
    /// `same` padding never wins a maximum. Keras file: `layers/pooling/max_pooling1d.py`.
    pub struct MaxPooling1D("max_pooling1d") new(
        /// Length of a window, in steps; 2 where a configuration does not say.
        pool_size: Single = Single(2),
    ) {
        /// Valid or same; valid by default.
        padding: Padding = Padding::Valid,
        /// Step from window to window; the pool size by default.
        strides: Option<Single> = None,
        /// Channels last, the one order there is.
        data_format: ChannelsLast = ChannelsLast,
    }
}

impl MaxPooling1D {
    /// Size and strides of the windows in an image of height 1.
    fn window(&self) -> [Pair; 2] {
        [self.pool_size, self.strides.unwrap_or(self.pool_size)].map(|Single(length)| Pair(1, length))
    }
}

impl Layer for MaxPooling1D {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let [steps, channels] = sequence(inputs)?;
        self.pool_size.positive("pool_size")?;
        self.strides.map_or(Ok(1), |strides| strides.positive("strides"))?;
        let [size, strides] = self.window();
        let shape = pool_shape(&[vec![1, steps, channels]], size, Some(strides), self.padding)?;
        let output = vec![shape.out_w, channels];
        Ok(Built::op(MaxPoolOp { shape }, output))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let (image, shape) = as_image(call)?;
        let [size, strides] = self.window();
        let window = Window::new(&shape, size, strides, Pair(1, 1), self.padding)?;
        Ok(on_image(call, Operation::Pool { kind: Pooling::Max, window }, image))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn the_largest_of_each_window() {
        let x = [1.0, 2.0, 9.0, -4.0, 3.0];
        assert_eq!(forward(&MaxPooling1D::new(2), &[(&[5, 1], &x)]), [2.0, 9.0]);
        assert_eq!(forward(&MaxPooling1D::new(2).padding(Padding::Same), &[(&[5, 1], &x)]), [2.0, 9.0, 3.0]);
        assert_eq!(forward(&MaxPooling1D::new(3).strides(1), &[(&[5, 1], &x)]), [9.0, 9.0, 9.0]);
    }

    #[test]
    fn arguments_that_do_not_fit_are_named() {
        let error = |layer: MaxPooling1D| layer.build(&[vec![5, 2]]).unwrap_err();
        assert_eq!(error(MaxPooling1D::new(0)), "pool_size must be at least 1, got 0");
        assert_eq!(error(MaxPooling1D::new(2).strides(0)), "strides must be at least 1, got 0");
        assert!(error(MaxPooling1D::new(6)).contains("a window of 6 does not fit into 5"));
    }
}
