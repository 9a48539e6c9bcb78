//! `Flatten`: all axes but the batch into one.

use super::arguments::ChannelsLast;
use super::{Built, Layer, Shape, single};
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation};

keras_layer! {
    /// `[batch, a, b, …]` → `[batch, a·b·…]`, in memory order (rows, columns, channels).
    ///
    /// Keras file: `layers/reshaping/flatten.py`.
    pub struct Flatten("flatten") {
        /// Channels last, the one order there is.
        data_format: ChannelsLast = ChannelsLast,
    }
}

impl Layer for Flatten {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let n = single(inputs)?.iter().product();
        Ok(Built::op(View, vec![n]))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        Ok(reshaped(call))
    }
}

/// The operation of a layer that only changes the shape.
pub(crate) fn reshaped(call: &mut Call<'_>) -> usize {
    if call.input_shape() == call.shape() { call.input() } else { call.step(Operation::Reshape) }
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
