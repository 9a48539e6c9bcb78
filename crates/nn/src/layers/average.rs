//! `Average`: the mean of several inputs.

use super::add::AddOp;
use super::merge::broadcast;
use super::{Built, Layer, Shape};
use crate::program::{Call, Operation};

keras_layer! {
    /// (x₁ + x₂ + …) / n, inputs of one shape (an axis of length 1 is repeated): the join of an ensemble.
    ///
    /// Keras file: `layers/merging/average.py`.
    pub struct Average("average") {}
}

impl Layer for Average {
    fn takes_list(&self) -> bool {
        true
    }

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let (output, placements) = broadcast(inputs)?;
        let share = 1.0 / inputs.len() as f32;
        Ok(Built::op(AddOp { placements, len: output.iter().product(), share }, output))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let sum = call.step(Operation::Add);
        let scale = 1.0 / call.inputs().len() as f64;
        Ok(call.last(Operation::Scale { scale, offset: 0.0 }, vec![sum]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn inputs_are_averaged() {
        let y = forward(&Average::new(), &[(&[2], &[1.0, 2.0]), (&[2], &[3.0, 10.0])]);
        assert_eq!(y, [2.0, 6.0]);
        let y = forward(&Average::new(), &[(&[2], &[1.0, 2.0]), (&[2], &[10.0, 20.0]), (&[1], &[100.0])]);
        assert!((y[0] - 37.0).abs() < 1e-5 && (y[1] - 122.0 / 3.0).abs() < 1e-5, "{y:?}");
    }
}
