//! The vector algorithm, once for all instruction sets.

use super::super::pass::Weights;
use super::{Depthwise, scalar};
use crate::arch::{Arch, Task};

/// Sums held in registers at once: pixels of a row, or taps of a kernel row.
const SUMS: usize = 6;

/// [`Depthwise::correlate`].
///
/// Its safety: the lengths fit (see `Depthwise::check`).
pub(super) struct Correlate<'a> {
    /// By value: nothing that is written can lie in it, as far as the compiler knows.
    pub windows: Depthwise,
    pub image: &'a [f32],
    pub weights: Weights<'a>,
    pub output: &'a mut [f32],
}

impl Task for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Arch>(self) {
        let Correlate { windows, image, weights: Weights { packed: w, bias, relu }, output } = self;
        let (c, (out_h, out_w)) = (windows.channels, windows.out);
        let next = windows.stride.1 * c;
        for from in (0..c).step_by(S::LANES) {
            // SAFETY: `from` and the lanes of the mask are channels; windows, taps and pixels lie in their slices.
            unsafe {
                let mask = S::mask(S::LANES.min(c - from));
                let bias = bias.map_or(S::zero(), |bias| S::load_some(bias.as_ptr().add(from), mask));
                for (y, x) in (0..out_h).flat_map(|y| (0..out_w).step_by(SUMS).map(move |x| (y, x))) {
                    let count = SUMS.min(out_w - x);
                    let start = image.as_ptr().add(windows.window(y, x) + from);
                    let mut sums = [bias; SUMS];
                    for ky in 0..windows.kernel.0 {
                        for kx in 0..windows.kernel.1 {
                            let w = w.as_ptr().add((ky * windows.kernel.1 + kx) * c + from);
                            let w = S::load_some(w, mask);
                            let tap = start.add(windows.tap(ky, kx));
                            if count == SUMS {
                                for (pixel, sum) in sums.iter_mut().enumerate() {
                                    *sum = S::fma(S::load_some(tap.add(pixel * next), mask), w, *sum);
                                }
                            } else {
                                for (pixel, sum) in sums.iter_mut().enumerate() {
                                    if pixel < count {
                                        *sum = S::fma(S::load_some(tap.add(pixel * next), mask), w, *sum);
                                    }
                                }
                            }
                        }
                    }
                    let to = output.as_mut_ptr().add((y * out_w + x) * c + from);
                    for (pixel, &sum) in sums.iter().enumerate() {
                        if pixel < count {
                            let sum = if relu { S::relu(sum) } else { sum };
                            S::store_some(to.add(pixel * c), mask, sum);
                        }
                    }
                }
            }
        }
    }

    unsafe fn reference(self) {
        scalar::correlate(&self.windows, self.image, self.weights, self.output);
    }
}

/// [`Depthwise::gradient`].
///
/// Its safety: as [`Correlate`].
pub(super) struct Gradient<'a> {
    pub windows: Depthwise,
    pub image: &'a [f32],
    pub dy: &'a [f32],
    pub gradient: &'a mut [f32],
}

impl Task for Gradient<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Arch>(self) {
        let Gradient { windows, image, dy, gradient } = self;
        let (c, (out_h, out_w), (kh, kw)) = (windows.channels, windows.out, windows.kernel);
        for from in (0..c).step_by(S::LANES) {
            for (ky, first) in (0..kh).flat_map(|ky| (0..kw).step_by(SUMS).map(move |kx| (ky, kx))) {
                let count = SUMS.min(kw - first);
                // SAFETY: as in `Correlate`.
                unsafe {
                    let mask = S::mask(S::LANES.min(c - from));
                    let mut sums = [S::zero(); SUMS];
                    for (y, x) in (0..out_h).flat_map(|y| (0..out_w).map(move |x| (y, x))) {
                        let dy = S::load_some(dy.as_ptr().add((y * out_w + x) * c + from), mask);
                        let window = image.as_ptr().add(windows.window(y, x) + windows.tap(ky, first) + from);
                        for (kx, sum) in sums.iter_mut().enumerate() {
                            if kx < count {
                                let value = S::load_some(window.add(kx * windows.dilation.1 * c), mask);
                                *sum = S::fma(value, dy, *sum);
                            }
                        }
                    }
                    let to = gradient.as_mut_ptr().add((ky * kw + first) * c + from);
                    for (kx, &sum) in sums.iter().enumerate() {
                        if kx < count {
                            let to = to.add(kx * c);
                            S::store_some(to, mask, S::add(S::load_some(to, mask), sum));
                        }
                    }
                }
            }
        }
    }

    unsafe fn reference(self) {
        scalar::gradient(&self.windows, self.image, self.dy, self.gradient);
    }
}
