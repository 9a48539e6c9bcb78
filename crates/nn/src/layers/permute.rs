//! `Permute`: the axes of a sample in another order.

use super::{Built, Layer, Shape, show, single};
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation};

keras_layer! {
    /// Axis i of the output is axis `dims[i]` of the input; axes count from 1, the batch stays where it is.
    ///
    /// Keras file: `layers/reshaping/permute.py`.
    pub struct Permute("permute") new(
        /// Every axis once, such as `[2, 1]` to transpose.
        dims: Vec<usize>,
    ) {}
}

impl Layer for Permute {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        let mut sorted = self.dims.clone();
        sorted.sort_unstable();
        if !sorted.into_iter().eq(1..=shape.len()) {
            return Err(format!(
                "dims must hold each of 1 to {} once for an input of shape {}, got {:?}",
                shape.len(),
                show(shape),
                self.dims
            ));
        }
        let dims: Vec<usize> = self.dims.iter().map(|dim| dim - 1).collect();
        Ok(Built::op(PermuteOp::new(shape, &dims), dims.iter().map(|&dim| shape[dim]).collect()))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        Ok(call.step(Operation::Transpose(self.dims.iter().map(|dim| dim - 1).collect())))
    }
}

/// Output axis i is input axis `dims[i]`, counted from 0.
#[derive(Debug)]
pub(super) struct PermuteOp {
    /// Per output axis its length, and the distance of neighbors along it in the input.
    axes: Vec<(usize, usize)>,
}

impl PermuteOp {
    pub(super) fn new(shape: &[usize], dims: &[usize]) -> Self {
        PermuteOp { axes: dims.iter().map(|&dim| (shape[dim], shape[dim + 1..].iter().product())).collect() }
    }

    /// Calls `f(output value, input value)` for every value of `samples` samples.
    pub(super) fn each(&self, samples: usize, mut f: impl FnMut(usize, usize)) {
        fn walk(axes: &[(usize, usize)], from: usize, f: &mut impl FnMut(usize)) {
            match axes {
                [] => f(from),
                [(n, step), rest @ ..] => (0..*n).for_each(|i| walk(rest, from + i * step, f)),
            }
        }
        let len: usize = self.axes.iter().map(|(n, _)| n).product();
        let mut to = 0;
        for sample in 0..samples {
            walk(&self.axes, sample * len, &mut |from| {
                f(to, from);
                to += 1;
            });
        }
    }
}

/// What `op` makes of rows, for the values along `axes`: they are moved to the end, and back.
pub(super) fn on_axes(shape: &[usize], axes: &[usize], op: impl Op + 'static) -> Built {
    let dims: Vec<usize> = (0..shape.len()).filter(|axis| !axes.contains(axis)).chain(axes.iter().copied()).collect();
    if dims.is_sorted() {
        return Built::op(op, shape.to_vec());
    }
    let moved: Shape = dims.iter().map(|&dim| shape[dim]).collect();
    let mut back: Vec<usize> = (0..dims.len()).collect();
    back.sort_unstable_by_key(|&place| dims[place]);
    let there = Built::op(PermuteOp::new(shape, &dims), moved.clone()).then(op, vec![], moved.clone());
    there.then(PermuteOp::new(&moved, &back), vec![], shape.to_vec())
}

impl Op for PermuteOp {
    fn forward(&self, c: Forward<'_>) {
        self.each(c.samples, |to, from| c.output[to] = c.inputs[0][from]);
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            self.each(c.samples, |from, to| dx[to] = c.d_output[from]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn a_matrix_is_transposed() {
        let y = forward(&Permute::new([2, 1]), &[(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])]);
        assert_eq!(y, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        for wrong in [&[1, 1][..], &[0, 1], &[1], &[1, 2, 3]] {
            assert!(Permute::new(wrong).build(&[vec![2, 3]]).unwrap_err().contains("each of 1 to 2 once"), "{wrong:?}");
        }
    }
}
