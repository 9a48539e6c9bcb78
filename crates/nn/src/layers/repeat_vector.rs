//! `RepeatVector`: a vector, several times.

use super::{Built, Layer, Shape, check_size, show, single};
use crate::object::range;
use crate::op::{Backward, Forward, Op};
use crate::program::{Call, Operation};
use maobi_kernels::pointwise;

keras_layer! {
    /// `[batch, features]` → `[batch, n, features]`.
    ///
    /// Keras file: `layers/reshaping/repeat_vector.py`.
    pub struct RepeatVector("repeat_vector") new(
        /// How often the vector stands in the output; 1 or more.
        n: usize where range::AT_LEAST_ONE,
    ) {}
}

impl Layer for RepeatVector {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let &[features] = single(inputs)?.as_slice() else {
            return Err(format!("expects an input of shape [batch, features], got {}", show(&inputs[0])));
        };
        if self.n == 0 {
            return Err("n must be at least 1, got 0".into());
        }
        check_size("the output", &[self.n, features])?;
        Ok(Built::op(RepeatOp { n: self.n, features }, vec![self.n, features]))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let features = call.input_shape().to_vec();
        let one = call.part("one", Operation::Reshape, vec![call.input()], &[&[1], &features[..]].concat());
        Ok(call.last(Operation::Repeat(self.n), vec![one]))
    }
}

#[derive(Debug)]
struct RepeatOp {
    n: usize,
    features: usize,
}

impl Op for RepeatOp {
    fn forward(&self, c: Forward<'_>) {
        let copies = c.output.chunks_exact_mut(self.features * self.n);
        for (x, copies) in c.inputs[0].chunks_exact(self.features).zip(copies) {
            copies.chunks_exact_mut(self.features).for_each(|y| y.copy_from_slice(x));
        }
    }

    fn backward(&self, c: Backward<'_, '_>) {
        let Some(dx) = &mut c.d_inputs[0] else { return };
        dx.fill(0.0);
        let copies = c.d_output.chunks_exact(self.features * self.n);
        for (dx, copies) in dx.chunks_exact_mut(self.features).zip(copies) {
            copies.chunks_exact(self.features).for_each(|dy| pointwise::add_assign(dx, dy));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn copies_follow_each_other() {
        assert_eq!(forward(&RepeatVector::new(2), &[(&[2], &[1.0, 2.0])]), [1.0, 2.0, 1.0, 2.0]);
        assert!(RepeatVector::new(usize::MAX).build(&[vec![2]]).unwrap_err().contains("too large"));
    }
}
