//! `ELU`: the exponential linear unit.

use super::activation::ActivationOp;
use super::{Built, Layer, Shape, single};
use crate::program::{Call, Operation};
use maobi_kernels::pointwise::Activation as Kernel;

keras_layer! {
    /// x where x > 0, else `alpha` · (exp(x) − 1).
    ///
    /// Clevert, Unterthiner, Hochreiter 2016; Keras file: `layers/activations/elu.py`.
    pub struct ELU("elu") {
        /// Minus the limit at −∞; 1 by default.
        alpha: f64 = 1.0,
    }
}

impl ELU {
    fn function(&self) -> Kernel {
        Kernel::Elu { alpha: self.alpha as f32 }
    }
}

impl Layer for ELU {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        if !self.alpha.is_finite() {
            return Err(format!("alpha must be a finite number, got {}", self.alpha));
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
    use crate::layers::testing::forward;

    #[test]
    fn far_below_0_it_is_minus_alpha() {
        assert_eq!(forward(&ELU::new().alpha(0.5), &[(&[2], &[-50.0, 2.0])]), [-0.5, 2.0]);
    }
}
