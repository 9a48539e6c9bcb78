//! Depthwise convolution: every channel by itself, so channels are the lanes of a vector.
//!
//! All functions see a padded image `[_, width, channels]`; taps and pixels are plain loops, with the sums of a few pixels
//! (or of the taps of a kernel row) in registers.

mod lanes;
mod scalar;

use super::pass::Weights;
use crate::isa::{self, Isa};

/// Windows over an image, channel by channel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depthwise {
    /// Columns of the image.
    pub width: usize,
    pub channels: usize,
    pub kernel: (usize, usize),
    pub stride: (usize, usize),
    pub dilation: (usize, usize),
    pub out: (usize, usize),
}

impl Depthwise {
    /// The first element of window `(y, x)`.
    fn window(&self, y: usize, x: usize) -> usize {
        (y * self.stride.0 * self.width + x * self.stride.1) * self.channels
    }

    /// Where tap `(ky, kx)` lies, relative to the window.
    fn tap(&self, ky: usize, kx: usize) -> usize {
        (ky * self.dilation.0 * self.width + kx * self.dilation.1) * self.channels
    }

    fn check(&self, image: &[f32], output: usize, weights: usize) {
        assert_eq!(output, self.out.0 * self.out.1 * self.channels);
        assert_eq!(weights, self.kernel.0 * self.kernel.1 * self.channels);
        if output > 0 {
            let window = self.window(self.out.0 - 1, self.out.1 - 1);
            let tap = self.tap(self.kernel.0 - 1, self.kernel.1 - 1);
            assert!(window + tap + self.channels <= image.len());
        }
    }

    /// `output[y, x, c] = act(bias[c] + Σ_tap image[window (y, x), tap, c] · w[tap, c])`; overwrites.
    pub(super) fn correlate(&self, isa: Isa, image: &[f32], weights: Weights, output: &mut [f32]) {
        self.check(image, output.len(), weights.packed.len());
        assert!(weights.bias.is_none_or(|bias| bias.len() == self.channels));
        // SAFETY: the lengths fit, and `Conv2d` has asserted that `isa` is available.
        unsafe { isa::run(isa, lanes::Correlate { windows: *self, image, weights, output }) }
    }

    /// `gradient[tap, c] += Σ_(y, x) image[window (y, x), tap, c] · dy[y, x, c]`.
    pub(super) fn gradient(&self, isa: Isa, image: &[f32], dy: &[f32], gradient: &mut [f32]) {
        self.check(image, dy.len(), gradient.len());
        // SAFETY: the lengths fit, and `Conv2d` has asserted that `isa` is available.
        unsafe { isa::run(isa, lanes::Gradient { windows: *self, image, dy, gradient }) }
    }
}
