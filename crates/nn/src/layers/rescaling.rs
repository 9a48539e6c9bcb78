//! `Rescaling`: x · scale + offset.

use super::{Built, Layer, Shape, single};
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation};

keras_layer! {
    /// x · `scale` + `offset`, any shape: the place for pixel scaling inside a model.
    ///
    /// Keras file: `layers/preprocessing/rescaling.py`.
    pub struct Rescaling("rescaling") new(
        /// The factor, e.g. `1.0 / 255.0`.
        scale: f64,
    ) {
        /// Added after scaling; 0 by default.
        offset: f64 = 0.0,
    }
}

impl Layer for Rescaling {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        if !self.scale.is_finite() || !self.offset.is_finite() {
            return Err(format!("scale and offset must be finite, got {} and {}", self.scale, self.offset));
        }
        Ok(Built::op(RescaleOp { scale: self.scale as f32, offset: self.offset as f32 }, shape.clone()))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        Ok(call.step(Operation::Scale { scale: self.scale, offset: self.offset }))
    }
}

#[derive(Debug)]
struct RescaleOp {
    scale: f32,
    offset: f32,
}

impl Op for RescaleOp {
    fn forward(&self, c: Forward<'_>) {
        for (y, &x) in c.output.iter_mut().zip(c.inputs[0]) {
            *y = x * self.scale + self.offset;
        }
    }

    fn backward(&self, c: Backward<'_, '_>) {
        if let Some(dx) = &mut c.d_inputs[0] {
            for (dx, &dy) in dx.iter_mut().zip(&*c.d_output) {
                *dx = dy * self.scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn pixels_become_small_numbers() {
        let y = forward(&Rescaling::new(1.0 / 127.5).offset(-1.0), &[(&[3], &[0.0, 127.5, 255.0])]);
        assert_eq!(y, [-1.0, 0.0, 1.0]);
    }

    #[test]
    fn infinite_scales_are_refused() {
        assert!(Rescaling::new(f64::INFINITY).build(&[vec![3]]).unwrap_err().contains("scale"));
    }
}
