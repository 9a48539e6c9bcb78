//! `Flatten`: all axes but the batch into one.

use super::arguments::ChannelsLast;
use super::{Base, Built, Layer, Shape, single};
use crate::op::{Backward, Forward, Op};
use serde::{Deserialize, Serialize};

/// `[batch, a, b, …]` → `[batch, a·b·…]`, in memory order (rows, columns, channels).
///
/// Keras file: `layers/reshaping/flatten.py`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flatten {
    #[serde(skip)]
    pub(crate) base: Base,
    data_format: ChannelsLast,
}

impl Flatten {
    /// Flattens all axes but the batch.
    pub fn new() -> Self {
        Flatten::default()
    }
}

layer_builder!(Flatten);

impl Layer for Flatten {
    layer_boilerplate!("Flatten");

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let n = single(inputs)?.iter().product();
        Ok(Built::op(View, vec![n]))
    }
}

/// The same numbers under another shape.
#[derive(Debug)]
pub(crate) struct View;

impl Op for View {
    fn is_view(&self) -> bool {
        true
    }

    fn forward(&self, c: Forward<'_>) {
        c.output.copy_from_slice(c.inputs[0]);
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            dx.copy_from_slice(c.d_output);
        }
    }
}
