//! A model as the plain operations that inference is, for formats that hold a computation instead of layers.
//!
//! Layers that only training knows (dropout, augmentation) are gone, activations stand by themselves, and every argument is
//! resolved: an exporter sees shapes and numbers, never a layer. Values have Keras' order of axes, channels last; the batch axis is
//! left out of all shapes.

mod arguments;
mod lower;

pub(crate) use lower::lower;

/// A chain of operations with one place for its weights.
#[derive(Debug)]
pub(crate) struct Program {
    /// The model's name.
    pub(crate) name: String,
    /// Shapes of all values; a value is an index here.
    pub(crate) shapes: Vec<Vec<usize>>,
    /// The model's inputs: name and value.
    pub(crate) inputs: Vec<(String, usize)>,
    /// The model's outputs: name and value. Names differ from each other and from the inputs'.
    pub(crate) outputs: Vec<(String, usize)>,
    /// What is done, in order.
    pub(crate) steps: Vec<Step>,
    /// The weights; operations name them by index.
    pub(crate) arrays: Vec<Array>,
    /// What of the model is not in here, in words.
    pub(crate) notes: Vec<String>,
}

/// The values of a weight.
#[derive(Debug)]
pub(crate) struct Array {
    /// `layer/weight`.
    pub(crate) name: String,
    /// Axis lengths, in Keras' order.
    pub(crate) shape: Vec<usize>,
    /// Row-major.
    pub(crate) values: Vec<f32>,
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Step {
    /// The layer it is of; a second call of a shared layer has a number behind.
    pub(crate) layer: String,
    /// What is done.
    pub(crate) what: Operation,
    /// The values it takes.
    pub(crate) inputs: Vec<usize>,
    /// The value it makes.
    pub(crate) output: usize,
}

/// What an operation does. Arrays are indices into [`Program::arrays`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operation {
    /// Convolution of an image; the kernel is `[height, width, in / groups, out]` in memory.
    Conv { kernel: usize, bias: Option<usize>, window: Window, groups: usize, filters: usize },
    /// The last axis times `[in, out]`.
    Dense { kernel: usize, bias: Option<usize> },
    /// (x − mean) / √(variance + epsilon) · gamma + beta along the last axis.
    BatchNorm { gamma: Option<usize>, beta: Option<usize>, mean: usize, variance: usize, epsilon: f64 },
    /// The same with each sample's own mean and variance over its last `axes` axes.
    LayerNorm { gamma: Option<usize>, beta: Option<usize>, axes: usize, epsilon: f64 },
    /// The largest value or the mean of each window; padding does not count.
    Pool { kind: Pooling, window: Window },
    /// The same over all pixels; height and width stay as axes of length 1 or go.
    GlobalPool { kind: Pooling, keepdims: bool },
    /// Zeros around an image: [[top, bottom], [left, right]].
    Pad([[usize; 2]; 2]),
    /// An image enlarged by whole factors.
    UpSample { size: [usize; 2], bilinear: bool },
    /// x · scale + offset.
    Scale { scale: f64, offset: f64 },
    /// A function of each value.
    Apply(Function),
    /// Softmax over the last axis.
    Softmax,
    /// The sum of the inputs; axes of length 1 are repeated.
    Add,
    /// Their product.
    Multiply,
    /// One behind the other along an axis.
    Concat { axis: usize },
    /// The same numbers under the output's shape.
    Reshape,
}

/// Where the windows of a convolution or pooling lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) size: [usize; 2],
    pub(crate) strides: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// Keras' `same`; `valid` otherwise.
    pub(crate) same: bool,
    /// What `same` adds: [[top, bottom], [left, right]].
    pub(crate) pads: [[usize; 2]; 2],
}

/// What a pooling takes from its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pooling {
    Max,
    Average,
}

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Function {
    /// x from `threshold` on, at most `max`; below it `slope` · (x − threshold).
    Relu {
        max: Option<f64>,
        slope: f64,
        threshold: f64,
    },
    LeakyRelu {
        slope: f64,
    },
    Elu {
        alpha: f64,
    },
    Selu,
    /// x · Φ(x), exact.
    Gelu,
    Silu,
    Sigmoid,
    /// clip(x / 6 + ½, 0, 1).
    HardSigmoid,
    Tanh,
    Softplus,
    Softsign,
    Exponential,
}

impl Function {
    /// The plain max(x, 0).
    pub(crate) const RELU: Function = Function::Relu { max: None, slope: 0.0, threshold: 0.0 };

    /// By Keras' name of an activation (keras/src/activations/activations.py), with the defaults there; `None` for those that are no
    /// function of one number, and for `linear`.
    pub(crate) fn named(name: &str) -> Option<Function> {
        Some(match name {
            "relu" => Function::RELU,
            "relu6" => Function::Relu { max: Some(6.0), slope: 0.0, threshold: 0.0 },
            "leaky_relu" => Function::LeakyRelu { slope: 0.2 },
            "elu" => Function::Elu { alpha: 1.0 },
            "selu" => Function::Selu,
            "gelu" => Function::Gelu,
            "silu" => Function::Silu,
            "sigmoid" => Function::Sigmoid,
            "hard_sigmoid" => Function::HardSigmoid,
            "tanh" => Function::Tanh,
            "softplus" => Function::Softplus,
            "softsign" => Function::Softsign,
            "exponential" => Function::Exponential,
            _ => return None,
        })
    }
}

/// A BatchNormalization as x · scale + shift, per channel; computed in f64.
pub(crate) fn scale_and_shift(
    program: &Program,
    [gamma, beta]: [Option<usize>; 2],
    [mean, variance]: [usize; 2],
    epsilon: f64,
) -> (Vec<f32>, Vec<f32>) {
    let values = |array: usize| program.arrays[array].values.iter().map(|v| f64::from(*v));
    let count = program.arrays[mean].values.len();
    let or = |array: Option<usize>, default: f64| array.map_or_else(|| vec![default; count], |array| values(array).collect());
    let scale: Vec<f64> = or(gamma, 1.0).iter().zip(values(variance)).map(|(g, v)| g / (v + epsilon).sqrt()).collect();
    let shift = or(beta, 0.0).iter().zip(values(mean)).zip(&scale).map(|((b, m), s)| (b - m * s) as f32).collect();
    (scale.iter().map(|s| *s as f32).collect(), shift)
}

/// The layer classes that are left out of a [`Program`]: inference passes through them.
pub(crate) const TRAINING_ONLY: [&str; 6] =
    ["Dropout", "GaussianNoise", "SpatialDropout2D", "RandomRotation", "RandomTranslation", "RandomZoom"];

#[cfg(test)]
mod tests;
