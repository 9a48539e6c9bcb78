//! `GroupNormalization`: groups of channels shifted and scaled to mean 0 and variance 1, each sample by itself.

use super::axis::Axis;
use super::layer_normalization::LayerNormOp;
use super::permute::PermuteOp;
use super::{Built, Layer, Shape, WeightSpec, single};
use crate::constraints::Constraint;
use crate::initializers::{Initializer, Ones, Zeros};
use crate::op::{Backward, Forward, Op};
use crate::regularizers::Regularizer;

keras_layer! {
    /// (x − mean) / √(variance + epsilon) · gamma + beta; mean and biased variance over a group of neighboring channels and all other
    /// axes of a sample, gamma and beta `[channels]`.
    ///
    /// Wu, He 2018; Keras file: `layers/normalization/group_normalization.py`.
    pub struct GroupNormalization("group_normalization") {
        /// Number of groups, which divides the channels; −1 makes each channel a group. 32 by default.
        groups: i64 = 32,
        /// The axis of the channels: the last one, −1 by default.
        axis: Axis = Axis(-1),
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

impl Layer for GroupNormalization {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        let axis = self.axis.resolve(shape)?;
        let channels = shape[axis];
        let groups = if self.groups == -1 { Some(channels) } else { usize::try_from(self.groups).ok() };
        let Some(groups) = groups.filter(|&groups| groups > 0 && channels.is_multiple_of(groups)) else {
            return Err(format!("groups must divide the {channels} channels, or be -1, got {}", self.groups));
        };
        if !(self.epsilon.is_finite() && self.epsilon > 0.0) {
            return Err(format!("epsilon must be above 0, got {}", self.epsilon));
        }
        let (before, after) = (shape[..axis].iter().product::<usize>(), shape[axis + 1..].iter().product::<usize>());
        let own = channels / groups;
        let (as_given, by_group) = ([before, groups, own, after], [groups, before, own, after]);
        let apart = before > 1 && groups > 1;
        let mut built = Built::default();
        if apart {
            built = built.then(PermuteOp::new(&as_given, &[1, 0, 2, 3]), vec![], by_group.to_vec());
        }
        let cols = before * own * after;
        built =
            built.then(LayerNormOp { cols, epsilon: self.epsilon as f32, scale: false, center: false }, vec![], shape.clone());
        if apart {
            built = built.then(PermuteOp::new(&by_group, &[1, 0, 2, 3]), vec![], shape.clone());
        }
        if self.scale {
            let gamma = WeightSpec::new("gamma", vec![channels], &self.gamma_initializer, self.gamma_regularizer.as_ref())
                .constraint(self.gamma_constraint.as_ref());
            built.weights.push(gamma);
        }
        if self.center {
            built.weights.push(
                WeightSpec::new("beta", vec![channels], &self.beta_initializer, self.beta_regularizer.as_ref())
                    .constraint(self.beta_constraint.as_ref()),
            );
        }
        let used: Vec<usize> = (0..built.weights.len()).collect();
        let op = ChannelAffineOp { channels, after, scale: self.scale, center: self.center };
        Ok(if used.is_empty() { built } else { built.then(op, used, shape.clone()) })
    }
}

/// x · gamma + beta, of each channel its own.
#[derive(Debug)]
struct ChannelAffineOp {
    channels: usize,
    /// Values of a channel that lie together.
    after: usize,
    scale: bool,
    center: bool,
}

impl Op for ChannelAffineOp {
    fn reads_f32_weights(&self) -> bool {
        true
    }

    fn forward(&self, c: Forward<'_>) {
        let gamma = self.scale.then(|| c.weights[0]);
        let beta = self.center.then(|| c.weights[usize::from(self.scale)]);
        let runs = c.inputs[0].chunks_exact(self.after).zip(c.output.chunks_exact_mut(self.after));
        for ((x, y), channel) in runs.zip((0..self.channels).cycle()) {
            let (scale, shift) = (gamma.map_or(1.0, |g| g[channel]), beta.map_or(0.0, |b| b[channel]));
            y.iter_mut().zip(x).for_each(|(y, x)| *y = x * scale + shift);
        }
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            let gamma = self.scale.then(|| c.weights[0]);
            let runs = c.d_output.chunks_exact(self.after).zip(dx.chunks_exact_mut(self.after));
            for ((dy, dx), channel) in runs.zip((0..self.channels).cycle()) {
                let scale = gamma.map_or(1.0, |g| g[channel]);
                dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx = dy * scale);
            }
        }
        for (k, gradient) in c.d_weights.iter_mut().enumerate() {
            let Some(gradient) = gradient else { continue };
            if !gradient.accumulate {
                gradient.data.fill(0.0);
            }
            let of_gamma = self.scale && k == 0;
            let runs = c.inputs[0].chunks_exact(self.after).zip(c.d_output.chunks_exact(self.after));
            for ((x, dy), channel) in runs.zip((0..self.channels).cycle()) {
                gradient.data[channel] += x.iter().zip(dy).map(|(x, dy)| if of_gamma { x * dy } else { *dy }).sum::<f32>();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn each_group_becomes_standard() {
        let bare = GroupNormalization::new().groups(2).scale(false).center(false).epsilon(1e-12);
        let y = forward(&bare, &[(&[2, 2], &[1.0, 10.0, 3.0, 30.0])]);
        assert_eq!(y, [-1.0, -1.0, 1.0, 1.0]);
    }

    #[test]
    fn groups_must_divide_the_channels() {
        let error = |groups| GroupNormalization::new().groups(groups).build(&[vec![2, 6]]).unwrap_err();
        for wrong in [0, 4, 12, -2] {
            assert_eq!(error(wrong), format!("groups must divide the 6 channels, or be -1, got {wrong}"));
        }
        assert!(GroupNormalization::new().groups(-1).build(&[vec![2, 6]]).is_ok());
    }
}
