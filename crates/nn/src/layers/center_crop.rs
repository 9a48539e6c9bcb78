//! `CenterCrop`: the middle of an image.

use super::arguments::ChannelsLast;
use super::zero_padding2d::ZeroPadOp;
use super::{Built, Layer, Shape, image};
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation};

keras_layer! {
    /// `[batch, in_height, in_width, channels]` → `[batch, height, width, channels]`; of an odd rest, the larger part is cut at the end.
    ///
    /// Keras enlarges images that are too small; here they are refused. Keras file:
    /// `layers/preprocessing/image_preprocessing/center_crop.py`.
    pub struct CenterCrop("center_crop") new(
        /// Height of the output in pixels; 1 or more.
        height: usize,
        /// Width of the output in pixels; 1 or more.
        width: usize,
    ) {
        /// Channels last, the one order there is.
        data_format: ChannelsLast = ChannelsLast,
    }
}

impl CenterCrop {
    /// The first row and column of the middle of an image that is at least as large.
    fn corner(&self, h: usize, w: usize) -> (usize, usize) {
        ((h - self.height) / 2, (w - self.width) / 2)
    }
}

impl Layer for CenterCrop {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let [h, w, c] = image(inputs)?;
        let (height, width) = (self.height, self.width);
        if !(1..=h).contains(&height) || !(1..=w).contains(&width) {
            return Err(format!(
                "height and width must be at least 1 and at most the image's {h} and {w}, got {height} and {width}"
            ));
        }
        let (top, left) = self.corner(h, w);
        let pad = ZeroPadOp { row: width * c, out_row: w * c, rows: height, out_rows: h, top, left: left * c };
        Ok(Built::op(CropOp(pad), vec![height, width, c]))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let [h, w, _] = image(&[call.input_shape().to_vec()])?;
        let (top, left) = self.corner(h, w);
        Ok(call.step(Operation::Crop([[top, h - self.height - top], [left, w - self.width - left]])))
    }
}

/// What undoes a padding; the gradient is padded.
#[derive(Debug)]
struct CropOp(ZeroPadOp);

impl Op for CropOp {
    fn forward(&self, c: Forward<'_>) {
        self.0.crop(c.inputs[0], c.output);
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            self.0.pad(c.d_output, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn the_middle_stays() {
        let x: Vec<f32> = (0..12).map(|v| v as f32).collect();
        assert_eq!(forward(&CenterCrop::new(1, 2), &[(&[3, 4, 1], &x)]), [5.0, 6.0]);
        assert_eq!(
            CenterCrop::new(4, 2).build(&[vec![3, 4, 1]]).unwrap_err(),
            "height and width must be at least 1 and at most the image's 3 and 4, got 4 and 2"
        );
    }
}
