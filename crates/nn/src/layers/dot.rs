//! `Dot`: sums of products of two inputs along an axis of each.

use super::axis::Axis;
use super::permute::PermuteOp;
use super::unit_normalization::{factor, gradient_in_place};
use super::{Built, Layer, Shape, check_size, show};
use crate::object::Argument;
use crate::op::{Backward, Forward, Op};
use maobi_kernels::pointwise::{axpy, scale};
use maobi_kernels::reduce::dot;
use serde_json::{Value, json};

/// Most that a value is multiplied by when rows are normalized: 1 / Keras' epsilon.
const MOST: f32 = 1e7;

/// The axis of each input; one number means both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DotAxes(pub i64, pub i64);

impl From<i64> for DotAxes {
    fn from(axis: i64) -> Self {
        DotAxes(axis, axis)
    }
}
impl From<(i64, i64)> for DotAxes {
    fn from((first, second): (i64, i64)) -> Self {
        DotAxes(first, second)
    }
}

impl Argument for DotAxes {
    fn expected() -> String {
        "a whole number or a list of two".into()
    }

    fn read(value: &Value) -> Option<DotAxes> {
        match value.as_array().map(Vec::as_slice) {
            None => i64::read(value).map(DotAxes::from),
            Some([first, second]) => Some(DotAxes(i64::read(first)?, i64::read(second)?)),
            Some(_) => None,
        }
    }

    fn write(&self) -> Value {
        json!([self.0, self.1])
    }
}

keras_layer! {
    /// Σ x₁ · x₂ along an axis of each input, for every pair of places in the other axes: those of the first input, then those of the
    /// second; `[batch, 1]` where there are none.
    ///
    /// Keras file: `layers/merging/dot.py`.
    pub struct Dot("dot") new(
        /// The axis of each input, or one number for both; the batch counts as axis 0, negative numbers from the end.
        axes: DotAxes,
    ) {
        /// Whether both inputs are first divided by their Euclidean length along the axis; false by default.
        normalize: bool = false,
    }
}

impl Layer for Dot {
    fn takes_list(&self) -> bool {
        true
    }

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let [a, b] = inputs else { return Err(format!("takes a list of two inputs, got {}", inputs.len())) };
        let (first, second) = (Axis(self.axes.0).resolve(a)?, Axis(self.axes.1).resolve(b)?);
        let n = a[first];
        if n != b[second] {
            let (DotAxes(i, j), a, b) = (self.axes, show(a), show(b));
            return Err(format!("axis {i} of the first input and axis {j} of the second must be equally long, got {a} and {b}"));
        }
        let (a, b) = (Side::new(a, first), Side::new(b, second));
        let mut output = [a.others.as_slice(), &b.others].concat();
        if output.is_empty() {
            output.push(1);
        }
        check_size("the output", &output)?;
        Ok(Built::op(DotOp { n, sides: [a, b], normalize: self.normalize }, output))
    }
}

/// An input as rows along its axis.
#[derive(Debug)]
struct Side {
    /// Lengths of the other axes.
    others: Shape,
    rows: usize,
    to_rows: PermuteOp,
}

impl Side {
    fn new(shape: &[usize], axis: usize) -> Self {
        let dims: Vec<usize> = (0..shape.len()).filter(|&dim| dim != axis).chain([axis]).collect();
        let others: Shape = dims[..dims.len() - 1].iter().map(|&dim| shape[dim]).collect();
        Side { rows: others.iter().product(), others, to_rows: PermuteOp::new(shape, &dims) }
    }
}

#[derive(Debug)]
struct DotOp {
    /// Length of the axis.
    n: usize,
    sides: [Side; 2],
    normalize: bool,
}

impl DotOp {
    /// The rows of both inputs of a sample, normalized if asked for, with the factors; then the rest of the scratch space.
    fn load<'s>(
        &self,
        inputs: &[&[f32]],
        sample: usize,
        scratch: &'s mut [f32],
    ) -> ([&'s [f32]; 2], [&'s [f32]; 2], &'s mut [f32]) {
        let (mut rows, mut factors, mut rest) = ([&[][..]; 2], [&[][..]; 2], scratch);
        for (k, side) in self.sides.iter().enumerate() {
            let len = side.rows * self.n;
            let (own, after) = rest.split_at_mut(len);
            let (scales, after) = after.split_at_mut(side.rows);
            let x = &inputs[k][sample * len..(sample + 1) * len];
            side.to_rows.each(1, |to, from| own[to] = x[from]);
            if self.normalize {
                for (row, by) in own.chunks_exact_mut(self.n).zip(&mut *scales) {
                    *by = factor(row, MOST);
                    scale(row, *by);
                }
            }
            (rows[k], factors[k], rest) = (own, scales, after);
        }
        (rows, factors, rest)
    }

    /// Values of a sample's output.
    fn len(&self) -> usize {
        self.sides[0].rows * self.sides[1].rows
    }
}

impl Op for DotOp {
    fn scratch_len(&self) -> usize {
        let [a, b] = [self.sides[0].rows, self.sides[1].rows];
        (a + b) * (self.n + 1) + a.max(b) * self.n
    }

    fn forward(&self, c: Forward<'_>) {
        for (sample, y) in c.output.chunks_exact_mut(self.len()).enumerate() {
            let ([a, b], ..) = self.load(c.inputs, sample, c.scratch);
            let pairs = a.chunks_exact(self.n).flat_map(|a| b.chunks_exact(self.n).map(move |b| (a, b)));
            y.iter_mut().zip(pairs).for_each(|(y, (a, b))| *y = dot(a, b));
        }
    }

    /// A row's gradient is the sum of the other side's rows, each times its dy; then comes what normalization does to it.
    fn backward(&self, c: Backward<'_, '_>) {
        for (sample, dy) in c.d_output.chunks_exact(self.len()).enumerate() {
            let (rows, factors, rest) = self.load(c.inputs, sample, c.scratch);
            for (k, (side, dx)) in self.sides.iter().zip(c.d_inputs.iter_mut()).enumerate() {
                let Some(dx) = dx else { continue };
                let gradient = &mut rest[..side.rows * self.n];
                gradient.fill(0.0);
                for (i, own) in gradient.chunks_exact_mut(self.n).enumerate() {
                    for (j, other) in rows[1 - k].chunks_exact(self.n).enumerate() {
                        let place = if k == 0 { i * self.sides[1].rows + j } else { j * side.rows + i };
                        axpy(dy[place], other, own);
                    }
                    if self.normalize {
                        gradient_in_place(&rows[k][i * self.n..(i + 1) * self.n], factors[k][i], MOST, own);
                    }
                }
                let dx = &mut dx[sample * gradient.len()..(sample + 1) * gradient.len()];
                side.to_rows.each(1, |from, to| dx[to] = gradient[from]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn vectors_and_matrices() {
        let (a, b): (&[f32], &[f32]) = (&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]);
        assert_eq!(forward(&Dot::new(1), &[(&[3], a), (&[3], b)]), [32.0]);
        // [2, 1] by [1, 2]: an outer product, the columns of the one by the rows of the other.
        assert_eq!(forward(&Dot::new((2, 1)), &[(&[2, 1], &a[..2]), (&[1, 2], &b[..2])]), [4.0, 5.0, 8.0, 10.0]);
        assert_eq!(forward(&Dot::new(-1).normalize(true), &[(&[2], &[3.0, 4.0]), (&[2], &[-6.0, -8.0])]), [-1.0]);
    }

    #[test]
    fn axes_that_do_not_fit_are_named() {
        let error = |axes: DotAxes| Dot::new(axes).build(&[vec![2, 3], vec![3, 4]]).unwrap_err();
        assert_eq!(
            error(1.into()),
            "axis 1 of the first input and axis 1 of the second must be equally long, got (None, 2, 3) and (None, 3, 4)"
        );
        assert!(error((0, 1).into()).contains("must not be the batch"));
        assert_eq!((DotAxes::read(&json!(-1)), DotAxes::read(&json!([1]))), (Some(DotAxes(-1, -1)), None));
    }
}
