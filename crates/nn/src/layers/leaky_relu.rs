//! `LeakyReLU`: x above 0, a part of it below.

use super::activation::ActivationOp;
use super::{Base, Built, Layer, Shape, single};
use maobi_kernels::pointwise::Activation as Kernel;
use serde::{Deserialize, Serialize};

/// x where x > 0, else `negative_slope` · x.
///
/// Keras file: `layers/activations/leaky_relu.py`; Keras 2 called the slope `alpha`, which is read too.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LeakyReLU {
    #[serde(skip)]
    pub(crate) base: Base,
    #[serde(alias = "alpha")]
    negative_slope: f64,
}

impl Default for LeakyReLU {
    fn default() -> Self {
        LeakyReLU { base: Base::default(), negative_slope: 0.3 }
    }
}

impl LeakyReLU {
    /// A slope of 0.3 below 0.
    pub fn new() -> Self {
        LeakyReLU::default()
    }

    setters! {
        /// Slope below 0, at least 0; 0.3 by default.
        negative_slope: f64,
    }
}

layer_builder!(LeakyReLU);

impl Layer for LeakyReLU {
    layer_boilerplate!("LeakyReLU");

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        if !(self.negative_slope.is_finite() && self.negative_slope >= 0.0) {
            return Err(format!("negative_slope must be at least 0, got {}", self.negative_slope));
        }
        let kernel = Kernel::LeakyRelu { negative_slope: self.negative_slope as f32 };
        Ok(Built::op(ActivationOp { kernel }, shape.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keras_2_says_alpha() {
        let old: LeakyReLU = serde_json::from_str(r#"{"alpha": 0.1}"#).unwrap();
        assert_eq!(old, LeakyReLU::new().negative_slope(0.1));
        assert_eq!(serde_json::to_string(&old).unwrap(), r#"{"negative_slope":0.1}"#);
        assert!(LeakyReLU::new().negative_slope(-0.1).build(&[vec![4]]).unwrap_err().contains("negative_slope"));
    }
}
