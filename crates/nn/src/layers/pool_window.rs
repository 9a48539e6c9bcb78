//! The windows of [`MaxPooling2D`](super::MaxPooling2D) and [`AveragePooling2D`](super::AveragePooling2D).

use super::arguments::{Padding, Pair};
use super::{Shape, image};
use maobi_kernels::pooling::Pool2dShape;

/// Checks the arguments of a pooling layer against its input `[batch, height, width, channels]`.
pub(super) fn pool_shape(inputs: &[Shape], size: Pair, strides: Option<Pair>, padding: Padding) -> Result<Pool2dShape, String> {
    let [h, w, c] = image(inputs)?;
    let pool = size.positive("pool_size")?;
    let stride = strides.map_or(Ok(pool), |s| s.positive("strides"))?;
    let (out_h, top, _) = padding.resolve(h, pool.0, stride.0).map_err(|e| format!("height: {e}"))?;
    let (out_w, left, _) = padding.resolve(w, pool.1, stride.1).map_err(|e| format!("width: {e}"))?;
    Ok(Pool2dShape { h, w, c, pool, stride, pad: (top, left), out_h, out_w })
}
