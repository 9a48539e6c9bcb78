//! What a model predicts.

use crate::arg_max::arg_max;
use std::ops::Deref;

/// One output of a model for several samples: `[samples, …]`. It is read like a slice of its values.
///
/// ```
/// use maobi_nn::model::Output;
///
/// let output = Output::new(&[3], vec![0.1, 0.7, 0.2, 0.6, 0.3, 0.1]);
/// assert_eq!(output.shape(), [2, 3]);
/// assert_eq!(output.row(1), [0.6, 0.3, 0.1]);
/// assert_eq!(output.argmax(), [1, 0]);
/// assert_eq!(output[1], 0.7);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Output {
    /// Values of samples of this shape, one sample after the other.
    ///
    /// # Panics
    /// When the values are not a whole number of samples.
    pub fn new(sample: &[usize], values: Vec<f32>) -> Output {
        let len = sample.iter().product::<usize>();
        assert!(len > 0 && values.len().is_multiple_of(len), "{} values are no samples of shape {sample:?}", values.len());
        let shape = [&[values.len() / len], sample].concat();
        Output { shape, values }
    }

    /// Axis lengths, the samples first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.shape.first().copied().unwrap_or(0)
    }

    /// The values of each sample.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.row_len())
    }

    /// The values of one sample.
    ///
    /// # Panics
    /// When there are fewer samples.
    pub fn row(&self, sample: usize) -> &[f32] {
        let len = self.row_len();
        &self.values[sample * len..(sample + 1) * len]
    }

    /// For each sample, the index of its largest value: the class of a classifier. The first of several that are equal.
    pub fn argmax(&self) -> Vec<usize> {
        self.rows().map(arg_max).collect()
    }

    /// All values, one sample after the other.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    fn row_len(&self) -> usize {
        self.shape.iter().skip(1).product::<usize>().max(1)
    }
}

impl Deref for Output {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values
    }
}

impl<'a> IntoIterator for &'a Output {
    type Item = &'a f32;
    type IntoIter = std::slice::Iter<'a, f32>;

    fn into_iter(self) -> Self::IntoIter {
        self.values.iter()
    }
}
