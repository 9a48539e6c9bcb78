//! `LeakyReLU`: x above 0, a part of it below.

use super::activation::ActivationOp;
use super::{Built, Layer, Shape, single};
use crate::program::{Call, Operation};
use maobi_kernels::pointwise::Activation as Kernel;

keras_layer! {
    /// x where x > 0, else `negative_slope` · x.
    ///
    /// Keras file: `layers/activations/leaky_relu.py`; Keras 2 called the slope `alpha`, which is read too.
    pub struct LeakyReLU("leaky_re_lu") {
        /// Slope below 0, at least 0; 0.3 by default.
        negative_slope: f64 = 0.3,
    } old { alpha: negative_slope }
}

impl LeakyReLU {
    fn function(&self) -> Kernel {
        Kernel::LeakyRelu { negative_slope: self.negative_slope as f32 }
    }
}

impl Layer for LeakyReLU {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        if !(self.negative_slope.is_finite() && self.negative_slope >= 0.0) {
            return Err(format!("negative_slope must be at least 0, got {}", self.negative_slope));
        }
        Ok(Built::op(ActivationOp { kernel: self.function() }, shape.clone()))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        Ok(call.step(Operation::Apply(self.function())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{Config, Declared, Fields};

    #[test]
    fn keras_2_says_alpha() {
        let config = Config::from_iter([("alpha".to_string(), 0.1.into())]);
        let old = LeakyReLU::read(&mut Fields::new("LeakyReLU", config)).unwrap();
        assert_eq!(old, LeakyReLU::new().negative_slope(0.1));
        assert_eq!(old.config(), Config::from_iter([("negative_slope".to_string(), 0.1.into())]));
        assert!(LeakyReLU::new().negative_slope(-0.1).build(&[vec![4]]).unwrap_err().contains("negative_slope"));
    }
}
