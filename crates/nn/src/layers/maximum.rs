//! `Maximum`: the largest of several inputs, value by value.

use super::merge::{Placement, broadcast};
use super::{Built, Layer, Shape};
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation};

keras_layer! {
    /// max(x₁, x₂, …), inputs of one shape (an axis of length 1 is repeated). Of equal values the first input has the gradient; NaN
    /// anywhere gives NaN.
    ///
    /// Keras file: `layers/merging/maximum.py`.
    pub struct Maximum("maximum") {}
}

impl Layer for Maximum {
    fn takes_list(&self) -> bool {
        true
    }

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        ExtremeOp::lower(inputs, 1.0)
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        Ok(call.step(Operation::Maximum))
    }
}

/// The largest of the inputs, or the smallest.
#[derive(Debug)]
pub(super) struct ExtremeOp {
    placements: Vec<Placement>,
    /// Output values of a sample.
    len: usize,
    /// 1 for the largest, −1 for the smallest.
    sign: f32,
}

impl ExtremeOp {
    pub(super) fn lower(inputs: &[Shape], sign: f32) -> Result<Built, String> {
        let (output, placements) = broadcast(inputs)?;
        Ok(Built::op(ExtremeOp { placements, len: output.iter().product(), sign }, output))
    }
}

impl Op for ExtremeOp {
    fn forward(&self, c: Forward<'_>) {
        let outputs = c.output.len();
        c.output.fill(f32::NEG_INFINITY * self.sign);
        for (x, placement) in c.inputs.iter().zip(&self.placements) {
            placement.each(outputs, self.len, x.len(), |to, from| {
                if x[from].is_nan() || self.sign * x[from] > self.sign * c.output[to] {
                    c.output[to] = x[from];
                }
            });
        }
    }

    /// The gradient goes to the first input that has the output's value; it is then struck from `d_output`.
    fn backward(&self, c: Backward<'_, '_>) {
        let outputs = c.output.len();
        for ((dx, x), placement) in c.d_inputs.iter_mut().zip(c.inputs).zip(&self.placements) {
            let mut dx = dx.as_deref_mut();
            if let Some(dx) = &mut dx {
                dx.fill(0.0);
            }
            placement.each(outputs, self.len, x.len(), |from, to| {
                if x[to] == c.output[from] {
                    let dy = std::mem::take(&mut c.d_output[from]);
                    if let Some(dx) = &mut dx {
                        dx[to] += dy;
                    }
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn the_largest_of_each_place() {
        let y = forward(&Maximum::new(), &[(&[3], &[1.0, 5.0, f32::NAN]), (&[3], &[3.0, -2.0, 1.0]), (&[1], &[2.0])]);
        assert_eq!(y[..2], [3.0, 5.0]);
        assert!(y[2].is_nan());
    }
}
