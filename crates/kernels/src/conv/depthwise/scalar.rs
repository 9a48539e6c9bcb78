//! The reference: one product at a time.

use super::super::pass::Weights;
use super::Depthwise;

/// As [`Depthwise::correlate`].
pub(super) fn correlate(windows: &Depthwise, image: &[f32], weights: Weights, output: &mut [f32]) {
    let (c, out_w) = (windows.channels, windows.out.1);
    for (pixel, sums) in output.chunks_exact_mut(c).enumerate() {
        let window = windows.window(pixel / out_w, pixel % out_w);
        match weights.bias {
            Some(bias) => sums.copy_from_slice(bias),
            None => sums.fill(0.0),
        }
        for (tap, w) in weights.packed.chunks_exact(c).enumerate() {
            let tap = windows.tap(tap / windows.kernel.1, tap % windows.kernel.1);
            let values = &image[window + tap..][..c];
            sums.iter_mut().zip(values).zip(w).for_each(|((sum, value), w)| *sum += value * w);
        }
        if weights.relu {
            sums.iter_mut().filter(|sum| **sum < 0.0).for_each(|sum| *sum = 0.0);
        }
    }
}

/// As [`Depthwise::gradient`].
pub(super) fn gradient(windows: &Depthwise, image: &[f32], dy: &[f32], gradient: &mut [f32]) {
    let (c, out_w) = (windows.channels, windows.out.1);
    for (tap, sums) in gradient.chunks_exact_mut(c).enumerate() {
        let tap = windows.tap(tap / windows.kernel.1, tap % windows.kernel.1);
        for (pixel, dy) in dy.chunks_exact(c).enumerate() {
            let window = windows.window(pixel / out_w, pixel % out_w);
            let values = &image[window + tap..][..c];
            sums.iter_mut().zip(values).zip(dy).for_each(|((sum, value), dy)| *sum += value * dy);
        }
    }
}
