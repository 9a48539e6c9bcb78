//! `Subtract`: the difference of two inputs.

use super::merge::{Placement, broadcast};
use super::{Built, Layer, Shape};
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation};

keras_layer! {
    /// x₁ − x₂, two inputs of one shape (an axis of length 1 is repeated).
    ///
    /// Keras file: `layers/merging/subtract.py`.
    pub struct Subtract("subtract") {}
}

impl Layer for Subtract {
    fn takes_list(&self) -> bool {
        true
    }

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        if inputs.len() != 2 {
            return Err(format!("takes a list of two inputs, got {}", inputs.len()));
        }
        let (output, placements) = broadcast(inputs)?;
        Ok(Built::op(SubtractOp { placements, len: output.iter().product() }, output))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        Ok(call.step(Operation::Subtract))
    }
}

#[derive(Debug)]
struct SubtractOp {
    placements: Vec<Placement>,
    /// Output values of a sample.
    len: usize,
}

impl Op for SubtractOp {
    fn forward(&self, c: Forward<'_>) {
        let (a, b, outputs) = (c.inputs[0], c.inputs[1], c.output.len());
        self.placements[0].each(outputs, self.len, a.len(), |to, from| c.output[to] = a[from]);
        self.placements[1].each(outputs, self.len, b.len(), |to, from| c.output[to] -= b[from]);
    }

    fn backward(&self, c: Backward<'_, '_>) {
        for ((dx, placement), sign) in c.d_inputs.iter_mut().zip(&self.placements).zip([1.0, -1.0]) {
            let Some(dx) = dx else { continue };
            dx.fill(0.0);
            placement.each(c.d_output.len(), self.len, dx.len(), |from, to| dx[to] += sign * c.d_output[from]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn the_second_is_taken_from_the_first() {
        assert_eq!(forward(&Subtract::new(), &[(&[2], &[1.0, 2.0]), (&[1], &[10.0])]), [-9.0, -8.0]);
        assert_eq!(Subtract::new().build(&vec![vec![2]; 3]).unwrap_err(), "takes a list of two inputs, got 3");
    }
}
