//! `Reshape`: the same values under other axes.

use super::flatten::{View, reshaped};
use super::{Built, Layer, Shape, show, single};
use crate::program::Call;

keras_layer! {
    /// `[batch, …]` → `[batch, target_shape…]` in memory order; one axis may be −1, which takes what is left.
    ///
    /// Keras file: `layers/reshaping/reshape.py`.
    pub struct Reshape("reshape") new(
        /// Axis lengths without the batch, e.g. `[7, 7, -1]`.
        target_shape: Vec<i64>,
    ) {}
}

impl Layer for Reshape {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let input = single(inputs)?;
        let target = &self.target_shape;
        let values: usize = input.iter().product();
        if target.iter().any(|&n| n != -1 && n < 1) || target.iter().filter(|&&n| n == -1).count() > 1 {
            return Err(format!("target_shape must hold lengths of at least 1 and at most one -1, got {target:?}"));
        }
        let known = target.iter().filter(|&&n| n != -1).try_fold(1usize, |a, &n| a.checked_mul(n as usize));
        let inferred = target.contains(&-1);
        let fits = known.is_some_and(|k| if inferred { values.is_multiple_of(k) } else { values == k });
        let Some(known) = known.filter(|_| fits) else {
            return Err(format!("target_shape {target:?} does not fit the {values} values of an input of shape {}", show(input)));
        };
        let output = target.iter().map(|&n| if n == -1 { values / known } else { n as usize }).collect();
        Ok(Built::op(View, output))
    }

    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        Ok(reshaped(call))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_axis_is_inferred() {
        let built = |target: &[i64]| Reshape::new(target).build(&[vec![4, 6]]);
        assert_eq!(built(&[2, -1, 3]).unwrap().steps[0].output, [2, 4, 3]);
        assert_eq!(built(&[24]).unwrap().steps[0].output, [24]);
        assert_eq!(
            built(&[5, -1]).unwrap_err(),
            "target_shape [5, -1] does not fit the 24 values of an input of shape (None, 4, 6)"
        );
        assert!(built(&[-1, -1]).unwrap_err().contains("at most one -1"));
        assert!(built(&[0, 24]).unwrap_err().contains("at least 1"));
    }
}
