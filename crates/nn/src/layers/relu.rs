//! `ReLU`: max(x, 0), with Keras' three options.

use super::activation::ActivationOp;
use super::{Built, Layer, PerChannel, Shape, single};
use crate::program::{Call, Operation};
use maobi_kernels::pointwise::Activation as Kernel;

keras_layer! {
    /// x from `threshold` on, clipped at `max_value`; below, `negative_slope` · (x − `threshold`).
    ///
    /// Keras file: `layers/activations/relu.py`.
    pub struct ReLU("re_lu") {
        /// Largest output, at least 0; unbounded by default.
        max_value: Option<f64> = None,
        /// Slope below the threshold, at least 0; 0 by default.
        negative_slope: f64 = 0.0,
        /// Where the function begins, at least 0; 0 by default.
        threshold: f64 = 0.0,
    }
}

impl ReLU {
    fn function(&self) -> Kernel {
        Kernel::Relu {
            max_value: self.max_value.map(|v| v as f32),
            negative_slope: self.negative_slope as f32,
            threshold: self.threshold as f32,
        }
    }
}

impl Layer for ReLU {
    fn per_channel(&self, _: &[&[f32]]) -> Option<PerChannel> {
        let plain = ReLU { base: self.base.clone(), ..ReLU::new() };
        (*self == plain).then(|| PerChannel::Function("relu".into()))
    }

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        let arguments = [
            ("max_value", self.max_value.unwrap_or(0.0)),
            ("negative_slope", self.negative_slope),
            ("threshold", self.threshold),
        ];
        if let Some((name, value)) = arguments.into_iter().find(|(_, v)| !v.is_finite() || *v < 0.0) {
            return Err(format!("{name} must be at least 0, got {value}"));
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
    fn all_options_at_once() {
        let layer = ReLU::new().max_value(2.0).negative_slope(0.5).threshold(1.0);
        assert_eq!(forward(&layer, &[(&[4], &[-1.0, 0.5, 1.5, 3.0])]), [-1.0, -0.25, 1.5, 2.0]);
        assert_eq!(ReLU::new().threshold(-1.0).build(&[vec![4]]).unwrap_err(), "threshold must be at least 0, got -1");
    }
}
