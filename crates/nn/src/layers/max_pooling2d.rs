//! `MaxPooling2D`: the largest value of each window.

use super::arguments::{ChannelsLast, Padding, Pair};
use super::{Base, Built, Layer, Shape, image};
use crate::op::{Backward, Forward, Op};
use maobi_kernels::pooling::{self, Pool2dShape};
use serde::{Deserialize, Serialize};

/// `[batch, height, width, channels]` → the maximum of every `pool_size` window, `strides` apart (by default `pool_size`).
///
/// `same` padding never wins a maximum. Keras file: `layers/pooling/max_pooling2d.py`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MaxPooling2D {
    #[serde(skip)]
    pub(crate) base: Base,
    pool_size: Pair,
    padding: Padding,
    strides: Option<Pair>,
    data_format: ChannelsLast,
}

impl Default for MaxPooling2D {
    fn default() -> Self {
        MaxPooling2D {
            base: Base::default(),
            pool_size: Pair(2, 2),
            padding: Padding::Valid,
            strides: None,
            data_format: ChannelsLast,
        }
    }
}

impl MaxPooling2D {
    /// Windows of `pool_size`, side by side.
    pub fn new(pool_size: impl Into<Pair>) -> Self {
        MaxPooling2D { pool_size: pool_size.into(), ..MaxPooling2D::default() }
    }

    setters! {
        /// Valid or same; valid by default.
        padding: Padding,
        /// Step from window to window; the pool size by default.
        strides: Option<Pair>,
    }
}

layer_builder!(MaxPooling2D);

impl Layer for MaxPooling2D {
    layer_boilerplate!("MaxPooling2D");

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = pool_shape(inputs, self.pool_size, self.strides, self.padding)?;
        let output = vec![shape.out_h, shape.out_w, shape.c];
        Ok(Built::op(MaxPoolOp { shape }, output))
    }
}

/// Checks the arguments that both kinds of pooling share.
pub(crate) fn pool_shape(inputs: &[Shape], pool: Pair, strides: Option<Pair>, padding: Padding) -> Result<Pool2dShape, String> {
    let [h, w, c] = image(inputs)?;
    let pool = pool.positive("pool_size")?;
    let stride = strides.map_or(Ok(pool), |s| s.positive("strides"))?;
    let (out_h, top, _) = padding.resolve(h, pool.0, stride.0).map_err(|e| format!("height: {e}"))?;
    let (out_w, left, _) = padding.resolve(w, pool.1, stride.1).map_err(|e| format!("width: {e}"))?;
    Ok(Pool2dShape { h, w, c, pool, stride, pad: (top, left), out_h, out_w })
}

/// Backward finds the maximum anew instead of storing where it was.
#[derive(Debug)]
struct MaxPoolOp {
    shape: Pool2dShape,
}

impl Op for MaxPoolOp {
    fn forward(&self, c: Forward<'_>) {
        pooling::max_forward(&self.shape, c.samples, c.inputs[0], c.output);
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            pooling::max_backward(&self.shape, c.samples, c.inputs[0], c.output, c.d_output, dx);
        }
    }
}
