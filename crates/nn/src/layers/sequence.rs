//! What layers over sequences share: `[steps, channels]` is seen as an image of height 1.

use super::{Shape, show, single};
use crate::program::{Call, Operation};

/// The `[steps, channels]` of a layer that takes one sequence.
pub(super) fn sequence(inputs: &[Shape]) -> Result<[usize; 2], String> {
    match single(inputs)?.as_slice() {
        &[steps, channels] => Ok([steps, channels]),
        other => Err(format!(
            "expects an input of shape [batch, steps, channels], got {}; put a Reshape before it or give InputLayer two axes",
            show(other)
        )),
    }
}

/// The layer's input as an image of height 1, and the shape of that.
pub(super) fn as_image(call: &mut Call<'_>) -> Result<(usize, Shape), String> {
    let [steps, channels] = sequence(&[call.input_shape().to_vec()])?;
    let image = vec![1, steps, channels];
    Ok((call.part("image", Operation::Reshape, vec![call.input()], &image), image))
}

/// The layer's output from an image of height 1 that this operation makes of another.
pub(super) fn on_image(call: &mut Call<'_>, what: Operation, image: usize) -> usize {
    let shape = [&[1], call.shape()].concat();
    let made = call.part("rows", what, vec![image], &shape);
    call.last(Operation::Reshape, vec![made])
}
