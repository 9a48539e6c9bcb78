//! `Multiply`: the product of several inputs, value by value.

use super::merge::{Placement, broadcast};
use super::{Built, Layer, Shape};
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation};
use maobi_kernels::pointwise;

keras_layer! {
    /// x₁ · x₂ · …, inputs of one shape (an axis of length 1 is repeated): a gate.
    ///
    /// Keras file: `layers/merging/multiply.py`.
    pub struct Multiply("multiply") {}
}

impl Layer for Multiply {
    fn takes_list(&self) -> bool {
        true
    }

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let (output, placements) = broadcast(inputs)?;
        Ok(Built::op(MultiplyOp { placements, len: output.iter().product() }, output))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        Ok(call.step(Operation::Multiply))
    }
}

#[derive(Debug)]
struct MultiplyOp {
    placements: Vec<Placement>,
    /// Output values of a sample.
    len: usize,
}

impl MultiplyOp {
    /// `product` · every input but `skip`.
    fn multiply(&self, inputs: &[&[f32]], skip: Option<usize>, product: &mut [f32]) {
        for (_, (x, placement)) in inputs.iter().zip(&self.placements).enumerate().filter(|(k, _)| Some(*k) != skip) {
            match placement {
                Placement::Same => pointwise::mul_assign(product, x),
                _ => placement.each(product.len(), self.len, x.len(), |to, from| product[to] *= x[from]),
            }
        }
    }
}

impl Op for MultiplyOp {
    fn scratch_len(&self) -> usize {
        // A product of the others, for inputs that are repeated.
        if self.placements.iter().any(|p| matches!(p, Placement::Repeated(_))) { self.len } else { 0 }
    }

    fn forward(&self, c: Forward<'_>) {
        c.output.fill(1.0);
        self.multiply(c.inputs, None, c.output);
    }

    /// dxₖ = dy · the product of the other inputs (not y / xₖ, which fails at 0).
    fn backward(&self, c: Backward<'_, '_>) {
        for (k, (dx, placement)) in c.d_inputs.iter_mut().zip(&self.placements).enumerate() {
            let Some(dx) = dx else { continue };
            match placement {
                Placement::Same => {
                    dx.copy_from_slice(c.d_output);
                    self.multiply(c.inputs, Some(k), dx);
                }
                _ => {
                    dx.fill(0.0);
                    // Sample by sample, so that the product needs room for one only.
                    let product = &mut c.scratch[..self.len];
                    let own = dx.len() / c.samples.max(1);
                    for sample in 0..c.samples {
                        product.copy_from_slice(&c.d_output[sample * self.len..(sample + 1) * self.len]);
                        let part = |x: &[f32]| x.len() / c.samples * sample..x.len() / c.samples * (sample + 1);
                        for (j, x) in c.inputs.iter().enumerate().filter(|(j, _)| *j != k) {
                            let x = &x[part(x)];
                            self.placements[j].each(self.len, self.len, x.len(), |to, from| product[to] *= x[from]);
                        }
                        let dx = &mut dx[sample * own..(sample + 1) * own];
                        placement.each(self.len, self.len, own, |from, to| dx[to] += product[from]);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn a_gate_per_channel() {
        let y = forward(&Multiply::new(), &[(&[2, 1, 2], &[1.0, 2.0, 3.0, 4.0]), (&[1, 1, 2], &[10.0, 100.0])]);
        assert_eq!(y, [10.0, 200.0, 30.0, 400.0]);
    }
}
