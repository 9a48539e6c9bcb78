//! `Normalization`: features of mean 0 and variance 1, by the statistics of the data.

use super::axis::Axes;
use super::{Built, Layer, Shape, WeightSpec, single};
use crate::groups::Groups;
use crate::initializers::{Initializer, Ones, Zeros};
use crate::object::Argument;
use crate::op::{Backward, Forward, Op};
use serde_json::{Value, json};

/// What Keras takes for the smallest standard deviation (`keras.backend.epsilon()`).
const EPSILON: f32 = 1e-7;

/// The argument `mean` or `variance`: one number, or one for each position along the axes that are kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics(Vec<f64>);

impl From<f64> for Statistics {
    fn from(value: f64) -> Self {
        Statistics(vec![value])
    }
}
impl From<Vec<f64>> for Statistics {
    fn from(values: Vec<f64>) -> Self {
        Statistics(values)
    }
}
impl<const N: usize> From<[f64; N]> for Statistics {
    fn from(values: [f64; N]) -> Self {
        Statistics(values.to_vec())
    }
}

impl Argument for Statistics {
    fn expected() -> String {
        "a number or a list of numbers".into()
    }

    fn read(value: &Value) -> Option<Statistics> {
        fn collect(value: &Value, values: &mut Vec<f64>, depth: usize) -> Option<()> {
            match value {
                Value::Array(list) if depth < 8 => list.iter().try_for_each(|inner| collect(inner, values, depth + 1)),
                other => {
                    values.push(f64::read(other)?);
                    Some(())
                }
            }
        }
        // Keras writes arrays of NumPy as objects.
        let value = value.pointer("/config/value").unwrap_or(value);
        let mut values = Vec::new();
        collect(value, &mut values, 0)?;
        Some(Statistics(values))
    }

    fn write(&self) -> Value {
        match self.0[..] {
            [value] => json!(value),
            ref values => json!(values),
        }
    }
}

keras_layer! {
    /// (x − mean) / max(√variance, 1e-7), or with `invert` x · max(√variance, 1e-7) + mean, each along the axes that are kept.
    ///
    /// Without `mean` and `variance` the layer has weights for them: mean, variance (0 and 1 at first) and count, which training leaves
    /// alone and Keras' files hold. [`Normalization::adapt`] takes both from data. Keras file: `layers/preprocessing/normalization.py`.
    pub struct Normalization("normalization") {
        /// The axes with statistics of their own; -1 by default. The others, the batch among them, share them.
        axis: Axes = Axes::from(-1),
        /// The mean; together with `variance`.
        mean: Option<Statistics> = None,
        /// The variance, at least 0.
        variance: Option<Statistics> = None,
        /// Whether the layer undoes a normalization; false by default.
        invert: bool = false,
    }
}

impl Normalization {
    /// With the mean and the variance of these samples, each of this shape, one after the other.
    ///
    /// # Errors
    /// When the axes do not fit the shape, or the values are no samples of it.
    pub fn adapt(mut self, shape: &[usize], samples: &[f32]) -> Result<Self, String> {
        let (place, count) = self.places(shape)?;
        if samples.is_empty() || !samples.len().is_multiple_of(place.len().max(1)) {
            return Err(format!("{} values are no samples of shape {shape:?}", samples.len()));
        }
        let values = || samples.iter().zip(place.iter().cycle()).map(|(value, place)| (f64::from(*value), *place));
        let of_each = (samples.len() / count) as f64;
        let mut mean = vec![0.0; count];
        values().for_each(|(value, place)| mean[place] += value / of_each);
        let mut variance = vec![0.0; count];
        values().for_each(|(value, place)| variance[place] += (value - mean[place]).powi(2) / of_each);
        (self.mean, self.variance) = (Some(Statistics(mean)), Some(Statistics(variance)));
        Ok(self)
    }

    /// For each value of a sample the place of its statistics, and how many statistics there are.
    fn places(&self, shape: &[usize]) -> Result<(Vec<usize>, usize), String> {
        let kept = self.axis.resolve(shape)?;
        let groups = Groups::new(shape, |axis| kept.contains(&axis));
        let mut places = Vec::with_capacity(shape.iter().product());
        groups.each(|_, place| places.push(place));
        Ok((places, groups.count))
    }
}

impl Layer for Normalization {
    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        let shape = single(inputs)?;
        let (place, count) = self.places(shape)?;
        let given = match (&self.mean, &self.variance) {
            (None, None) => None,
            (Some(Statistics(mean)), Some(Statistics(variance))) => {
                if ![1, count].contains(&mean.len()) || mean.len() != variance.len() {
                    return Err(format!(
                        "mean and variance must have 1 value or {count}, got {} and {}",
                        mean.len(),
                        variance.len()
                    ));
                }
                if let Some(negative) = variance.iter().find(|value| value.is_nan() || **value < 0.0) {
                    return Err(format!("variance must be at least 0, got {negative}"));
                }
                let all = |values: &[f64]| (0..count).map(|i| values[i % values.len()] as f32).collect::<Vec<_>>();
                Some([all(mean), all(variance)])
            }
            _ => return Err("mean and variance must be given together".into()),
        };
        let weights = match given {
            Some(_) => Vec::new(),
            None => {
                let kept: Vec<usize> = self.axis.resolve(shape)?.into_iter().map(|axis| shape[axis]).collect();
                let (zeros, ones): (Initializer, Initializer) = (Zeros::new().into(), Ones::new().into());
                vec![
                    WeightSpec::state("mean", kept.clone(), &zeros),
                    WeightSpec::state("variance", kept, &ones),
                    WeightSpec::state("count", Vec::new(), &zeros),
                ]
            }
        };
        let used = (0..weights.len()).collect();
        Ok(Built { weights, steps: Vec::new() }.then(NormalizeOp { place, given, invert: self.invert }, used, shape.clone()))
    }
}

#[derive(Debug)]
struct NormalizeOp {
    place: Vec<usize>,
    /// Mean and variance where they are no weights.
    given: Option<[Vec<f32>; 2]>,
    invert: bool,
}

impl NormalizeOp {
    /// Means, and what the distance from them is multiplied by.
    fn statistics<'a>(&'a self, weights: &'a [&[f32]]) -> (&'a [f32], Vec<f32>) {
        let [mean, variance] = match &self.given {
            Some([mean, variance]) => [&mean[..], &variance[..]],
            None => [weights[0], weights[1]],
        };
        let deviation = variance.iter().map(|variance| variance.sqrt().max(EPSILON));
        (mean, if self.invert { deviation.collect() } else { deviation.map(|deviation| 1.0 / deviation).collect() })
    }
}

impl Op for NormalizeOp {
    fn reads_f32_weights(&self) -> bool {
        true
    }

    fn forward(&self, c: Forward<'_>) {
        let (mean, factor) = self.statistics(c.weights);
        let len = self.place.len();
        for (x, y) in c.inputs[0].chunks_exact(len).zip(c.output.chunks_exact_mut(len)) {
            for ((y, x), &place) in y.iter_mut().zip(x).zip(&self.place) {
                *y = if self.invert { x * factor[place] + mean[place] } else { (x - mean[place]) * factor[place] };
            }
        }
    }

    fn backward(&self, c: Backward<'_, '_>) {
        let Some(dx) = &mut c.d_inputs[0] else { return };
        let (_, factor) = self.statistics(c.weights);
        let len = self.place.len();
        for (dy, dx) in c.d_output.chunks_exact(len).zip(dx.chunks_exact_mut(len)) {
            for ((dx, dy), &place) in dx.iter_mut().zip(dy).zip(&self.place) {
                *dx = dy * factor[place];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::testing::forward;

    #[test]
    fn statistics_of_the_data_make_mean_0_and_variance_1() {
        // Two channels: 1, 3, 5, 7 and 10, 10, 30, 30.
        let x = [1.0, 10.0, 3.0, 10.0, 5.0, 30.0, 7.0, 30.0];
        let layer = Normalization::new().adapt(&[2, 2], &x).unwrap();
        assert_eq!((layer.mean.clone(), layer.variance.clone()), (Some([4.0, 20.0].into()), Some([5.0, 100.0].into())));
        let y = forward(&layer, &[(&[2, 2], &x)]);
        assert!((y[0] + 3.0 / 5f32.sqrt()).abs() < 1e-6 && (y[1] + 1.0).abs() < 1e-6, "{y:?}");
        let back = forward(&layer.invert(true), &[(&[2, 2], &y)]);
        assert!(back.iter().zip(x).all(|(a, b)| (a - b).abs() < 1e-5), "{back:?}");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let error = |layer: Normalization| layer.build(&[vec![2, 3]]).unwrap_err();
        assert_eq!(error(Normalization::new().mean(1.0)), "mean and variance must be given together");
        assert_eq!(
            error(Normalization::new().mean([1.0, 2.0]).variance([1.0, 2.0])),
            "mean and variance must have 1 value or 3, got 2 and 2"
        );
        assert_eq!(error(Normalization::new().mean(1.0).variance(-1.0)), "variance must be at least 0, got -1");
        assert!(error(Normalization::new().axis(0)).contains("axis must not be the batch"));
        assert_eq!(Normalization::new().adapt(&[3], &[1.0; 4]).unwrap_err(), "4 values are no samples of shape [3]");
    }
}
