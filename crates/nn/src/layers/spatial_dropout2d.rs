//! `SpatialDropout2D`: in training, zeroes a share of the channels and scales the rest.

use super::arguments::ChannelsLast;
use super::{Built, Layer, Shape, image};
use crate::object::range;
use crate::op::{Backward, Forward, Op, Random};
use maobi_kernels::pointwise;

keras_layer! {
    /// In training each channel of each image is 0 with probability `rate`, else x / (1 − rate); inference passes through.
    ///
    /// Tompson et al. 2014; Keras file: `layers/regularization/spatial_dropout.py`.
    pub struct SpatialDropout2D("spatial_dropout2d") new(
        /// The probability, in [0, 1).
        rate: f64 where range::BELOW_ONE,
    ) {
        /// Draws from this seed instead of the run's.
        seed: Option<u64> = None,
        /// Channels last, the one order there is.
        data_format: ChannelsLast = ChannelsLast,
    }
}

impl Layer for SpatialDropout2D {
    fn acts_only_in_training(&self) -> bool {
        true
    }

    fn writes_trainable(&self) -> bool {
        false
    }

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let [h, w, channels] = image(inputs)?;
        if !(0.0..1.0).contains(&self.rate) {
            return Err(format!("rate must be at least 0 and below 1, got {}", self.rate));
        }
        if self.rate == 0.0 {
            return Ok(Built::default());
        }
        let op = SpatialDropoutOp { rate: self.rate as f32, seed: self.seed, pixels: h * w, channels };
        Ok(Built::op(op, vec![h, w, channels]))
    }
}

/// The mask is drawn anew in backward, so nothing is stored.
#[derive(Debug)]
struct SpatialDropoutOp {
    rate: f32,
    seed: Option<u64>,
    pixels: usize,
    channels: usize,
}

impl SpatialDropoutOp {
    /// Every pixel times its channel's factor; `mask` has room for the factors.
    fn multiply(&self, random: Random, first: usize, x: &[f32], y: &mut [f32], mask: &mut [f32]) {
        let (random, values) = (random.with_seed(self.seed), self.pixels * self.channels);
        for (i, (x, y)) in x.chunks_exact(values).zip(y.chunks_exact_mut(values)).enumerate() {
            mask.fill(1.0);
            pointwise::dropout_in_place(&random.stream(first + i), self.rate, mask);
            for (x, y) in x.chunks_exact(self.channels).zip(y.chunks_exact_mut(self.channels)) {
                pointwise::mul(x, mask, y);
            }
        }
    }
}

impl Op for SpatialDropoutOp {
    fn scratch_len(&self) -> usize {
        self.channels
    }

    fn is_identity_in_inference(&self) -> bool {
        true
    }

    fn forward(&self, c: Forward<'_>) {
        if c.training {
            self.multiply(c.random, c.first, c.inputs[0], c.output, &mut c.scratch[..self.channels]);
        } else {
            c.output.copy_from_slice(c.inputs[0]);
        }
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            self.multiply(c.random, c.first, c.d_output, dx, &mut c.scratch[..self.channels]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::{forward, forward_training};

    #[test]
    fn whole_channels_are_dropped_at_the_rate_asked_for() {
        const CHANNELS: usize = 20_000;
        let x = vec![1.0; 3 * CHANNELS];
        let train = |layer: SpatialDropout2D, seed| forward_training(&layer, &[(&[1, 3, CHANNELS], &x)], seed);
        let y = train(SpatialDropout2D::new(0.2), 1);
        assert!(y.iter().all(|&v| v == 0.0 || v == 1.25));
        assert!(
            y[..CHANNELS] == y[CHANNELS..2 * CHANNELS] && y[..CHANNELS] == y[2 * CHANNELS..],
            "pixels have the same channels"
        );
        let dropped = y[..CHANNELS].iter().filter(|&&v| v == 0.0).count() as f64 / CHANNELS as f64;
        // Five standard errors, √(0.2 · 0.8 / 20 000) each.
        assert!((dropped - 0.2).abs() < 0.0142, "{dropped}");
        assert_ne!(y, train(SpatialDropout2D::new(0.2), 2));
        assert_eq!(train(SpatialDropout2D::new(0.2).seed(7), 1), train(SpatialDropout2D::new(0.2).seed(7), 2));
        assert_eq!(forward(&SpatialDropout2D::new(0.2), &[(&[1, 3, CHANNELS], &x)]), x);
    }
}
