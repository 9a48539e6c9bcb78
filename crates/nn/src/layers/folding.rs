//! Two layers as one, for inference: a convolution or dense layer takes the batch normalization and the activation that follow it.

use super::Layer;
use crate::activations::Activation;

/// What a layer does in inference to every value by itself, knowing only its channel (the last axis).
#[derive(Clone, Debug, PartialEq)]
pub enum PerChannel {
    /// value · scale + shift; one of each a channel.
    Affine {
        /// Factors, `[channels]`.
        scale: Vec<f32>,
        /// Summands, `[channels]`.
        shift: Vec<f32>,
    },
    /// An activation function.
    Function(Activation),
}

/// A layer that does what two did.
#[derive(Debug)]
pub struct Folded {
    /// The layer.
    pub layer: Box<dyn Layer>,
    /// Its weights, in the order it declares them.
    pub weights: Vec<Vec<f32>>,
}

/// The weights of a layer whose last kernel has the output channels last, with an affine map of them taken in; the bias comes last.
///
/// (x ∗ k + b) · scale + shift = x ∗ (k · scale) + (b · scale + shift)
pub(super) fn with_affine(weights: &[&[f32]], use_bias: bool, scale: &[f32], shift: &[f32]) -> Option<Vec<Vec<f32>>> {
    let (kernels, bias) = weights.split_at(weights.len() - usize::from(use_bias));
    let (last, before) = kernels.split_last()?;
    let channels = scale.len();
    if channels == 0 || !last.len().is_multiple_of(channels) {
        return None;
    }
    let mut folded: Vec<Vec<f32>> = before.iter().map(|kernel| kernel.to_vec()).collect();
    folded.push(last.iter().zip(scale.iter().cycle()).map(|(k, s)| k * s).collect());
    folded.push((0..channels).map(|c| bias.first().map_or(0.0, |b| b[c]) * scale[c] + shift[c]).collect());
    Some(folded)
}

/// `Layer::followed_by` of a layer with `activation` and `use_bias`, whose last kernel has the output channels last.
macro_rules! takes_what_follows {
    () => {
        fn followed_by(&self, next: &super::PerChannel, weights: &[&[f32]]) -> Option<super::Folded> {
            if self.activation != Activation::default() {
                return None;
            }
            Some(match next {
                super::PerChannel::Affine { scale, shift } => super::Folded {
                    weights: super::folding::with_affine(weights, self.use_bias, scale, shift)?,
                    layer: Box::new(Self { use_bias: true, ..self.clone() }),
                },
                super::PerChannel::Function(activation) => super::Folded {
                    weights: weights.iter().map(|w| w.to_vec()).collect(),
                    layer: Box::new(Self { activation: activation.clone(), ..self.clone() }),
                },
            })
        }
    };
}
