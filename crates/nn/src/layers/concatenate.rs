//! `Concatenate`: inputs side by side along an axis.

use super::axis::Axis;
use super::{Built, Layer, Shape, show};
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation};

keras_layer! {
    /// Inputs that agree in all axes but `axis`, one after the other along it (the batch counts as axis 0; −1 is the channels).
    ///
    /// Keras file: `layers/merging/concatenate.py`.
    pub struct Concatenate("concatenate") {
        /// The axis along which inputs follow each other; −1 by default.
        axis: Axis = Axis(-1),
    }
}

impl Layer for Concatenate {
    fn takes_list(&self) -> bool {
        true
    }

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        if inputs.len() < 2 {
            return Err(format!("takes a list of at least two inputs, got {}", inputs.len()));
        }
        let axis = self.axis.resolve(&inputs[0])?;
        let others = |s: &Shape| s.iter().enumerate().filter(|(i, _)| *i != axis).map(|(_, &n)| n).collect::<Vec<_>>();
        if inputs.iter().any(|s| s.len() != inputs[0].len() || others(s) != others(&inputs[0])) {
            let shapes: Vec<_> = inputs.iter().map(|s| show(s)).collect();
            return Err(format!("inputs must agree in all axes but axis {}, got {}", self.axis.0, shapes.join(", ")));
        }
        let mut output = inputs[0].clone();
        output[axis] = inputs.iter().map(|s| s[axis]).sum();
        let runs = inputs.iter().map(|s| s[axis..].iter().product()).collect();
        Ok(Built::op(ConcatenateOp { runs }, output))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let axis = self.axis.resolve(call.shape())?;
        Ok(call.step(Operation::Concat { axis }))
    }
}

#[derive(Debug)]
struct ConcatenateOp {
    /// Values that lie together, per input.
    runs: Vec<usize>,
}

impl ConcatenateOp {
    /// Start of each input's part of an output run, and the length of that run.
    fn starts(&self) -> impl Iterator<Item = (usize, usize)> {
        self.runs.iter().scan(0, |start, &run| Some((std::mem::replace(start, *start + run), run)))
    }
}

impl Op for ConcatenateOp {
    fn forward(&self, c: Forward<'_>) {
        let total: usize = self.runs.iter().sum();
        for ((start, run), x) in self.starts().zip(c.inputs) {
            for (y, x) in c.output.chunks_exact_mut(total).zip(x.chunks_exact(run)) {
                y[start..start + run].copy_from_slice(x);
            }
        }
    }

    fn backward(&self, c: Backward<'_, '_>) {
        let total: usize = self.runs.iter().sum();
        for ((start, run), dx) in self.starts().zip(c.d_inputs.iter_mut()) {
            let Some(dx) = dx else { continue };
            for (dy, dx) in c.d_output.chunks_exact(total).zip(dx.chunks_exact_mut(run)) {
                dx.copy_from_slice(&dy[start..start + run]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn channels_side_by_side() {
        let y = forward(&Concatenate::new(), &[(&[2, 1], &[1.0, 2.0]), (&[2, 2], &[3.0, 4.0, 5.0, 6.0])]);
        assert_eq!(y, [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
    }

    #[test]
    fn other_axes_must_agree() {
        let error = Concatenate::new().build(&[vec![2, 3], vec![4, 3]]).unwrap_err();
        assert_eq!(error, "inputs must agree in all axes but axis -1, got (None, 2, 3), (None, 4, 3)");
        assert!(Concatenate::new().axis(1).build(&[vec![2, 3], vec![4, 3]]).is_ok());
        assert!(Concatenate::new().axis(0).build(&[vec![2, 3], vec![4, 3]]).unwrap_err().contains("batch"));
    }
}
