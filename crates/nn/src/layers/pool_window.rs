//! The windows of `MaxPooling2D` and `AveragePooling2D`: their arguments, all that the two layers have.

use super::arguments::{ChannelsLast, Padding, Pair};
use super::{Shape, image};
use maobi_kernels::pooling::Pool2dShape;
use serde::{Deserialize, Serialize};

/// Keras' arguments, in its order; flattened into the layer's config.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PoolWindow {
    pub(super) pool_size: Pair,
    pub(super) padding: Padding,
    pub(super) strides: Option<Pair>,
    data_format: ChannelsLast,
}

impl Default for PoolWindow {
    fn default() -> Self {
        PoolWindow { pool_size: Pair(2, 2), padding: Padding::Valid, strides: None, data_format: ChannelsLast }
    }
}

impl PoolWindow {
    pub(super) fn new(pool_size: impl Into<Pair>) -> Self {
        PoolWindow { pool_size: pool_size.into(), ..PoolWindow::default() }
    }

    /// Checks the arguments against the input `[batch, height, width, channels]`.
    pub(super) fn shape(&self, inputs: &[Shape]) -> Result<Pool2dShape, String> {
        let [h, w, c] = image(inputs)?;
        let pool = self.pool_size.positive("pool_size")?;
        let stride = self.strides.map_or(Ok(pool), |s| s.positive("strides"))?;
        let (out_h, top, _) = self.padding.resolve(h, pool.0, stride.0).map_err(|e| format!("height: {e}"))?;
        let (out_w, left, _) = self.padding.resolve(w, pool.1, stride.1).map_err(|e| format!("width: {e}"))?;
        Ok(Pool2dShape { h, w, c, pool, stride, pad: (top, left), out_h, out_w })
    }
}

/// `new` and the setters of a layer with a `window` field.
macro_rules! pooling_builder {
    ($type:ident) => {
        impl $type {
            /// Windows of `pool_size`, side by side.
            pub fn new(pool_size: impl Into<super::arguments::Pair>) -> Self {
                $type { window: super::pool_window::PoolWindow::new(pool_size), ..$type::default() }
            }

            /// Valid or same; valid by default.
            #[must_use]
            pub fn padding(mut self, padding: impl Into<super::arguments::Padding>) -> Self {
                self.window.padding = padding.into();
                self
            }

            /// Step from window to window; the pool size by default.
            #[must_use]
            pub fn strides(mut self, strides: impl Into<super::arguments::Pair>) -> Self {
                self.window.strides = Some(strides.into());
                self
            }
        }
    };
}
pub(super) use pooling_builder;
