//! `UnitNormalization`: each row divided by its length.

use super::axis::Axes;
use super::permute::on_axes;
use super::{Built, Layer, Shape, single};
use crate::op::{Backward, Forward, Op};
use maobi_kernels::reduce::{dot, sum_squares};

/// Most that a value is multiplied by.
const MOST: f32 = 1e12;

keras_layer! {
    /// x · min(1 / √(Σ x²), 10¹²), the sum over `axis` of each sample: the values along it then have the Euclidean length 1.
    ///
    /// Keras file: `layers/normalization/unit_normalization.py`.
    pub struct UnitNormalization("unit_normalization") {
        /// The axis or axes of the sum; the last one, −1 by default.
        axis: Axes = Axes(vec![-1]),
    }
}

impl Layer for UnitNormalization {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        let axes = self.axis.resolve(shape)?;
        let columns = axes.iter().map(|&axis| shape[axis]).product();
        Ok(on_axes(shape, &axes, UnitNormOp { columns }))
    }
}

/// Each row of `columns` values by itself.
#[derive(Debug)]
struct UnitNormOp {
    columns: usize,
}

/// min(1 / the Euclidean length of a row, `most`).
pub(super) fn factor(row: &[f32], most: f32) -> f32 {
    sum_squares(row).sqrt().recip().min(most)
}

/// The gradient of a row from that of the row times its factor, `unit`: dx = (dy − unit · Σ unit·dy) · factor. Where the factor is cut
/// off at `most` it is a constant.
pub(super) fn gradient_in_place(unit: &[f32], factor: f32, most: f32, gradient: &mut [f32]) {
    let along = if factor >= most { 0.0 } else { dot(unit, gradient) };
    gradient.iter_mut().zip(unit).for_each(|(g, u)| *g = (*g - u * along) * factor);
}

impl Op for UnitNormOp {
    fn forward(&self, c: Forward<'_>) {
        for (x, y) in c.inputs[0].chunks_exact(self.columns).zip(c.output.chunks_exact_mut(self.columns)) {
            let factor = factor(x, MOST);
            y.iter_mut().zip(x).for_each(|(y, x)| *y = x * factor);
        }
    }

    fn backward(&self, c: Backward<'_, '_>) {
        let Some(dx) = &mut c.d_inputs[0] else { return };
        dx.copy_from_slice(c.d_output);
        let rows = c.inputs[0].chunks_exact(self.columns).zip(c.output.chunks_exact(self.columns));
        for ((x, y), dx) in rows.zip(dx.chunks_exact_mut(self.columns)) {
            gradient_in_place(y, factor(x, MOST), MOST, dx);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn rows_have_length_1_and_zeros_stay() {
        let y = forward(&UnitNormalization::new(), &[(&[2, 2], &[3.0, -4.0, 0.0, 0.0])]);
        assert_eq!(y, [0.6, -0.8, 0.0, 0.0]);
        let y = forward(&UnitNormalization::new().axis(1), &[(&[2, 2], &[3.0, 0.0, -4.0, 2.0])]);
        assert_eq!(y, [0.6, 0.0, -0.8, 1.0]);
        assert!(UnitNormalization::new().axis([1, -2]).build(&[vec![2, 2]]).unwrap_err().contains("once"));
    }
}
