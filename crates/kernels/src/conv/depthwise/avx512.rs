//! The vector algorithm compiled for Avx512.

use super::{Depthwise, lanes};
use crate::tile::Avx512;

/// As [`Depthwise::correlate`].
///
/// # Safety
/// As [`lanes::correlate`], and the processor has the instruction set.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
pub(super) unsafe fn correlate(
    windows: &Depthwise,
    image: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    relu: bool,
    output: &mut [f32],
) {
    // SAFETY: this function is compiled for the instruction set; the rest is the caller's promise.
    unsafe { lanes::correlate::<Avx512>(windows, image, w, bias, relu, output) }
}

/// As [`Depthwise::gradient`].
///
/// # Safety
/// As [`lanes::gradient`], and the processor has the instruction set.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
pub(super) unsafe fn gradient(windows: &Depthwise, image: &[f32], dy: &[f32], gradient: &mut [f32]) {
    // SAFETY: this function is compiled for the instruction set; the rest is the caller's promise.
    unsafe { lanes::gradient::<Avx512>(windows, image, dy, gradient) }
}
