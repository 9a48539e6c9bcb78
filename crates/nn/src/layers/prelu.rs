//! `PReLU`: x above 0, a learned part of it below.

use super::axis::Axes;
use super::merge::{Placement, broadcast};
use super::{Built, Layer, Shape, WeightSpec, show, single};
use crate::constraints::Constraint;
use crate::initializers::{Initializer, Zeros};
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation};
use crate::regularizers::Regularizer;

keras_layer! {
    /// x where x ≥ 0, else alpha · x; alpha is a weight of the shape of a sample, with length 1 along `shared_axes`.
    ///
    /// He, Zhang, Ren, Sun 2015; Keras file: `layers/activations/prelu.py`.
    pub struct PReLU("p_re_lu") {
        /// Initial alpha; zeros by default.
        alpha_initializer: Initializer = Zeros::new().into(),
        /// Penalty on alpha.
        alpha_regularizer: Option<Regularizer> = None,
        /// What training does to alpha after each step; nothing by default.
        alpha_constraint: Option<Constraint> = None,
        /// Axes along which one alpha serves all values, counted from 1 (the batch is 0): `[1, 2]` gives an image one alpha per
        /// channel. None by default.
        shared_axes: Option<Axes> = None,
    }
}

impl Layer for PReLU {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        let mut alpha = shape.clone();
        for &axis in self.shared_axes.iter().flat_map(|axes| &axes.0) {
            // Keras shifts negative numbers by one axis, so nobody can rely on them.
            let place = usize::try_from(axis).ok().and_then(|axis| alpha.get_mut(axis.checked_sub(1)?));
            *place.ok_or_else(|| {
                format!("shared_axes must lie in 1 to {} for an input of shape {}, got {axis}", shape.len(), show(shape))
            })? = 1;
        }
        let (_, mut placements) = broadcast(&[shape.clone(), alpha.clone()])?;
        let op = PReluOp { len: shape.iter().product(), alpha: placements.remove(1) };
        let weights = vec![
            WeightSpec::new("alpha", alpha, &self.alpha_initializer, self.alpha_regularizer.as_ref())
                .constraint(self.alpha_constraint.as_ref()),
        ];
        Ok(Built { weights, steps: Vec::new() }.then(op, vec![0], shape.clone()))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let alpha = call.needs("alpha")?;
        Ok(call.step(Operation::PRelu { alpha }))
    }
}

#[derive(Debug)]
struct PReluOp {
    /// Values of a sample.
    len: usize,
    /// Which alpha belongs to a value.
    alpha: Placement,
}

impl Op for PReluOp {
    fn forward(&self, c: Forward<'_>) {
        let alpha = c.weights[0];
        for (x, y) in c.inputs[0].chunks_exact(self.len).zip(c.output.chunks_exact_mut(self.len)) {
            self.alpha.each(self.len, self.len, alpha.len(), |i, a| y[i] = if x[i] < 0.0 { alpha[a] * x[i] } else { x[i] });
        }
    }

    fn backward(&self, c: Backward<'_, '_>) {
        let alpha = c.weights[0];
        let samples = || c.inputs[0].chunks_exact(self.len).zip(c.d_output.chunks_exact(self.len));
        if let Some(dx) = &mut c.d_inputs[0] {
            for ((x, dy), dx) in samples().zip(dx.chunks_exact_mut(self.len)) {
                // At 0 Keras' gradient is 0.
                self.alpha.each(self.len, self.len, alpha.len(), |i, a| {
                    dx[i] = if x[i] == 0.0 { 0.0 } else { dy[i] * if x[i] < 0.0 { alpha[a] } else { 1.0 } };
                });
            }
        }
        if let Some(gradient) = &mut c.d_weights[0] {
            if !gradient.accumulate {
                gradient.data.fill(0.0);
            }
            for (x, dy) in samples() {
                self.alpha.each(self.len, self.len, alpha.len(), |i, a| gradient.data[a] += x[i].min(0.0) * dy[i]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alpha_per_channel_where_the_others_are_shared() {
        let alpha = |layer: PReLU| layer.build(&[vec![4, 5, 3]]).map(|built| built.weights[0].shape.clone());
        assert_eq!(alpha(PReLU::new()), Ok(vec![4, 5, 3]));
        assert_eq!(alpha(PReLU::new().shared_axes([1, 2])), Ok(vec![1, 1, 3]));
        for wrong in [-1, 0, 4, i64::MIN] {
            assert_eq!(
                alpha(PReLU::new().shared_axes(wrong)).unwrap_err(),
                format!("shared_axes must lie in 1 to 3 for an input of shape (None, 4, 5, 3), got {wrong}")
            );
        }
    }
}
