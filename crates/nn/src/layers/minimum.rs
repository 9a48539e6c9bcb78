//! `Minimum`: the smallest of several inputs, value by value.

use super::maximum::ExtremeOp;
use super::{Built, Layer, Shape};
use crate::program::{Call, Operation};

keras_layer! {
    /// min(x₁, x₂, …), inputs of one shape (an axis of length 1 is repeated). Of equal values the first input has the gradient; NaN
    /// anywhere gives NaN.
    ///
    /// Keras file: `layers/merging/minimum.py`.
    pub struct Minimum("minimum") {}
}

impl Layer for Minimum {
    fn takes_list(&self) -> bool {
        true
    }

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        ExtremeOp::lower(inputs, -1.0)
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        Ok(call.step(Operation::Minimum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn the_smallest_of_each_place() {
        let y = forward(&Minimum::new(), &[(&[3], &[1.0, 5.0, f32::INFINITY]), (&[3], &[3.0, -2.0, f32::INFINITY])]);
        assert_eq!(y, [1.0, -2.0, f32::INFINITY]);
    }
}
