//! `LayerNormalization`: each sample shifted and scaled to mean 0 and variance 1 over its last axes.

use super::axis::Axes;
use super::{Built, Layer, Shape, WeightSpec, single};
use crate::constraints::Constraint;
use crate::initializers::{Initializer, Ones, Zeros};
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation};
use crate::regularizers::Regularizer;
use maobi_kernels::normalization;

keras_layer! {
    /// (x − mean) / √(variance + epsilon) · gamma + beta, mean and biased variance over the trailing axes `axis` of each sample; gamma
    /// and beta have the shape of those axes.
    ///
    /// Ba, Kiros, Hinton 2016; Keras file: `layers/normalization/layer_normalization.py`.
    pub struct LayerNormalization("layer_normalization") {
        /// The last axis or axes; −1 by default.
        axis: Axes = Axes(vec![-1]),
        /// Added to the variance; 0.001 by default.
        epsilon: f64 = 1e-3,
        /// Whether beta is added; true by default.
        center: bool = true,
        /// Whether gamma multiplies; true by default.
        scale: bool = true,
        /// Initial beta; zeros by default.
        beta_initializer: Initializer = Zeros::new().into(),
        /// Initial gamma; ones by default.
        gamma_initializer: Initializer = Ones::new().into(),
        /// Penalty on beta.
        beta_regularizer: Option<Regularizer> = None,
        /// Penalty on gamma.
        gamma_regularizer: Option<Regularizer> = None,
        /// What training does to beta after each step; nothing by default.
        beta_constraint: Option<Constraint> = None,
        /// What training does to gamma after each step; nothing by default.
        gamma_constraint: Option<Constraint> = None,
    }
}

impl Layer for LayerNormalization {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        let normalised = shape[shape.len() - self.axis.trailing(shape)?..].to_vec();
        if !(self.epsilon.is_finite() && self.epsilon > 0.0) {
            return Err(format!("epsilon must be above 0, got {}", self.epsilon));
        }
        let cols = normalised.iter().product();
        let mut weights = Vec::new();
        if self.scale {
            weights.push(
                WeightSpec::new("gamma", normalised.clone(), &self.gamma_initializer, self.gamma_regularizer.as_ref())
                    .constraint(self.gamma_constraint.as_ref()),
            );
        }
        if self.center {
            weights.push(
                WeightSpec::new("beta", normalised, &self.beta_initializer, self.beta_regularizer.as_ref())
                    .constraint(self.beta_constraint.as_ref()),
            );
        }
        let op = LayerNormOp { cols, epsilon: self.epsilon as f32, scale: self.scale, center: self.center };
        let used = (0..weights.len()).collect();
        Ok(Built { weights, steps: Vec::new() }.then(op, used, shape.clone()))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        Ok(call.step(Operation::LayerNorm {
            gamma: call.weight("gamma"),
            beta: call.weight("beta"),
            axes: self.axis.0.len(),
            epsilon: self.epsilon,
        }))
    }
}

#[derive(Debug)]
pub(super) struct LayerNormOp {
    /// Values that are normalized together.
    pub(super) cols: usize,
    pub(super) epsilon: f32,
    pub(super) scale: bool,
    pub(super) center: bool,
}

impl Op for LayerNormOp {
    fn reads_f32_weights(&self) -> bool {
        true
    }

    fn forward(&self, c: Forward<'_>) {
        let gamma = self.scale.then(|| c.weights[0]);
        let beta = self.center.then(|| c.weights[usize::from(self.scale)]);
        normalization::layer_forward(self.cols, self.epsilon, c.inputs[0], gamma, beta, c.output);
    }

    /// Statistics are computed anew: cheaper than keeping them.
    fn backward(&self, c: Backward<'_, '_>) {
        let gamma = self.scale.then(|| c.weights[0]);
        let mut gradients = c.d_weights.iter_mut();
        let mut next = |present: bool| {
            let gradient = if present { gradients.next()?.as_mut()? } else { return None };
            if !gradient.accumulate {
                gradient.data.fill(0.0);
            }
            Some(&mut *gradient.data)
        };
        let (d_gamma, d_beta) = (next(self.scale), next(self.center));
        let dx = c.d_inputs[0].as_deref_mut();
        normalization::layer_backward(self.cols, self.epsilon, c.inputs[0], gamma, c.d_output, dx, d_gamma, d_beta);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn rows_become_standard() {
        let bare = LayerNormalization::new().scale(false).center(false).epsilon(1e-12);
        let y = forward(&bare, &[(&[2, 2], &[1.0, 3.0, -10.0, 10.0])]);
        assert_eq!(y, [-1.0, 1.0, -1.0, 1.0]);
    }

    #[test]
    fn weights_have_the_shape_of_the_axes() {
        let built = LayerNormalization::new().axis([-2, -1]).build(&[vec![4, 5, 6]]).unwrap();
        assert_eq!(built.weights[0].shape, [5, 6]);
        let error = LayerNormalization::new().axis(1).build(&[vec![4, 5, 6]]).unwrap_err();
        assert!(error.contains("last axis"), "{error}");
    }
}
