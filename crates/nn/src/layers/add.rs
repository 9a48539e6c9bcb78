//! `Add`: the sum of several inputs.

use super::merge::{Placement, broadcast};
use super::{Built, Layer, Shape};
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation};
use maobi_kernels::pointwise;

keras_layer! {
    /// x₁ + x₂ + …, inputs of one shape (an axis of length 1 is repeated): the join of a residual connection.
    ///
    /// Keras file: `layers/merging/add.py`.
    pub struct Add("add") {}
}

impl Layer for Add {
    fn takes_list(&self) -> bool {
        true
    }

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let (output, placements) = broadcast(inputs)?;
        Ok(Built::op(AddOp { placements, len: output.iter().product(), share: 1.0 }, output))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        Ok(call.step(Operation::Add))
    }
}

/// The sum of the inputs, times a share.
#[derive(Debug)]
pub(super) struct AddOp {
    pub(super) placements: Vec<Placement>,
    /// Output values of a sample.
    pub(super) len: usize,
    /// 1 for a sum, 1 / n for a mean.
    pub(super) share: f32,
}

impl Op for AddOp {
    fn forward(&self, c: Forward<'_>) {
        if let ([Placement::Same, Placement::Same], [a, b]) = (&self.placements[..], c.inputs) {
            pointwise::add(a, b, c.output);
        } else {
            c.output.fill(0.0);
            for (x, placement) in c.inputs.iter().zip(&self.placements) {
                match placement {
                    Placement::Same => pointwise::add_assign(c.output, x),
                    _ => placement.each(c.output.len(), self.len, x.len(), |to, from| c.output[to] += x[from]),
                }
            }
        }
        if self.share != 1.0 {
            c.output.iter_mut().for_each(|v| *v *= self.share);
        }
    }

    fn backward(&self, c: Backward<'_, '_>) {
        for (dx, placement) in c.d_inputs.iter_mut().zip(&self.placements) {
            let Some(dx) = dx else { continue };
            match placement {
                Placement::Same => dx.copy_from_slice(c.d_output),
                _ => {
                    dx.fill(0.0);
                    placement.each(c.d_output.len(), self.len, dx.len(), |from, to| dx[to] += c.d_output[from]);
                }
            }
            if self.share != 1.0 {
                dx.iter_mut().for_each(|v| *v *= self.share);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn inputs_are_added() {
        let y = forward(&Add::new(), &[(&[2], &[1.0, 2.0]), (&[2], &[10.0, 20.0]), (&[1], &[100.0])]);
        assert_eq!(y, [111.0, 122.0]);
    }
}
