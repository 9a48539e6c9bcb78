//! `BatchNormalization`: each channel shifted and scaled to mean 0 and variance 1, then by learned beta and gamma.

use super::axis::Axis;
use super::batch_statistics::{FrozenBatchNormOp, Statistics, TrainingBatchNormOp};
use super::{Built, Layer, PerChannel, Shape, WeightSpec, show, single};
use crate::constraints::Constraint;
use crate::initializers::{Initializer, Ones, Zeros};
use crate::program::{Call, Operation};
use crate::regularizers::Regularizer;

keras_layer! {
    /// (x − mean) / √(variance + epsilon) · gamma + beta, per value of the last axis: any shape `[batch, …, channels]`, every weight
    /// `[channels]`.
    ///
    /// Training takes mean and biased variance of the batch and moves the moving averages: moving ← moving · momentum + batch · (1 −
    /// momentum). Inference takes the moving averages; so does training when the layer is not `trainable`.
    ///
    /// Ioffe and Szegedy 2015; Keras file: `layers/normalization/batch_normalization.py`.
    pub struct BatchNormalization("batch_normalization") {
        /// The axis of the channels: the last one, −1 by default.
        axis: Axis = Axis(-1),
        /// How much of the moving averages a step keeps, in [0, 1]; 0.99 by default.
        momentum: f64 = 0.99,
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
        /// Initial moving mean; zeros by default.
        moving_mean_initializer: Initializer = Zeros::new().into(),
        /// Initial moving variance; ones by default.
        moving_variance_initializer: Initializer = Ones::new().into(),
        /// Penalty on beta.
        beta_regularizer: Option<Regularizer> = None,
        /// Penalty on gamma.
        gamma_regularizer: Option<Regularizer> = None,
        /// What training does to beta after each step; nothing by default.
        beta_constraint: Option<Constraint> = None,
        /// What training does to gamma after each step; nothing by default.
        gamma_constraint: Option<Constraint> = None,
    } fixed { synchronized: false }
}

impl Layer for BatchNormalization {
    fn per_channel(&self, weights: &[&[f32]]) -> Option<PerChannel> {
        let mut weights = weights.iter();
        let gamma = if self.scale { Some(weights.next()?) } else { None };
        let beta = if self.center { Some(weights.next()?) } else { None };
        let (mean, variance) = (weights.next()?, weights.next()?);
        let scale: Vec<f32> = (0..mean.len())
            .map(|c| (f64::from(gamma.map_or(1.0, |g| g[c])) / (f64::from(variance[c]) + self.epsilon).sqrt()) as f32)
            .collect();
        let shift = (0..mean.len()).map(|c| beta.map_or(0.0, |b| b[c]) - mean[c] * scale[c]).collect();
        Some(PerChannel::Affine { scale, shift })
    }

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        let Some((&channels, outer)) = shape.split_last() else {
            return Err(format!("expects at least one axis after the batch, got {}", show(shape)));
        };
        if self.axis.resolve(shape)? + 1 != shape.len() {
            return Err(format!("axis must be the last one (-1), got {}", self.axis.0));
        }
        if !(0.0..=1.0).contains(&self.momentum) {
            return Err(format!("momentum must lie in 0 to 1, got {}", self.momentum));
        }
        if !(self.epsilon.is_finite() && self.epsilon > 0.0) {
            return Err(format!("epsilon must be above 0, got {}", self.epsilon));
        }
        let vector = || vec![channels];
        let mut weights = Vec::new();
        if self.scale {
            weights.push(
                WeightSpec::new("gamma", vector(), &self.gamma_initializer, self.gamma_regularizer.as_ref())
                    .constraint(self.gamma_constraint.as_ref()),
            );
        }
        if self.center {
            weights.push(
                WeightSpec::new("beta", vector(), &self.beta_initializer, self.beta_regularizer.as_ref())
                    .constraint(self.beta_constraint.as_ref()),
            );
        }
        weights.push(WeightSpec::state("moving_mean", vector(), &self.moving_mean_initializer));
        weights.push(WeightSpec::state("moving_variance", vector(), &self.moving_variance_initializer));
        let statistics = Statistics {
            channels,
            rows: outer.iter().product(),
            epsilon: self.epsilon as f32,
            momentum: self.momentum as f32,
            scale: self.scale,
            center: self.center,
        };
        let used = (0..weights.len()).collect();
        let built = Built { weights, steps: Vec::new() };
        Ok(if self.base.trainable {
            built.then(TrainingBatchNormOp(statistics), used, shape.clone())
        } else {
            built.then(FrozenBatchNormOp(statistics), used, shape.clone())
        })
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        Ok(call.step(Operation::BatchNorm {
            gamma: call.weight("gamma"),
            beta: call.weight("beta"),
            mean: call.needs("moving_mean")?,
            variance: call.needs("moving_variance")?,
            epsilon: self.epsilon,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::op::Scope;

    fn names(layer: &BatchNormalization) -> Vec<(&'static str, bool)> {
        layer.build(&[vec![4, 4, 3]]).unwrap().weights.iter().map(|w| (w.name, w.trainable)).collect()
    }

    #[test]
    fn weights_come_in_keras_order() {
        let all = [("gamma", true), ("beta", true), ("moving_mean", false), ("moving_variance", false)];
        assert_eq!(names(&BatchNormalization::new()), all);
        assert_eq!(names(&BatchNormalization::new().scale(false)), all[1..]);
        assert_eq!(names(&BatchNormalization::new().scale(false).center(false)), all[2..]);
    }

    #[test]
    fn a_frozen_layer_does_not_look_at_the_batch() {
        let scope = |layer: BatchNormalization| layer.build(&[vec![4, 3]]).unwrap().steps[0].op.scope();
        assert_eq!(scope(BatchNormalization::new()), Scope::Batch);
        assert_eq!(scope(BatchNormalization::new().trainable(false)), Scope::Samples);
    }

    #[test]
    fn arguments_are_checked() {
        let error = |layer: BatchNormalization| layer.build(&[vec![4, 4, 3]]).unwrap_err();
        assert_eq!(error(BatchNormalization::new().axis(1)), "axis must be the last one (-1), got 1");
        assert_eq!(error(BatchNormalization::new().momentum(1.5)), "momentum must lie in 0 to 1, got 1.5");
        assert_eq!(error(BatchNormalization::new().epsilon(0.0)), "epsilon must be above 0, got 0");
        assert!(BatchNormalization::new().axis(3).build(&[vec![4, 4, 3]]).is_ok());
    }
}
