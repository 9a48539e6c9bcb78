//! A model as the plain operations that inference is: for formats that hold a computation instead of layers, and for counting them.
//!
//! Layers that only training knows (dropout, augmentation) are gone, activations stand by themselves, and every argument is resolved:
//! who reads a [`Program`](crate::Program) sees shapes and numbers, never a layer. Each layer says what it does in
//! [`Layer::operations`](crate::layers::Layer::operations). Values have Keras' order of axes, channels last; the batch axis is left out
//! of all shapes.

mod call;

pub use call::Call;
pub(crate) use call::Parts;
/// A function of one number.
pub use maobi_kernels::pointwise::Activation as Function;

use crate::layers::arguments::{Padding, Pair};

/// One operation.
#[derive(Debug)]
pub struct Step {
    /// The layer it is of; a second call of a shared layer has a number behind.
    pub layer: String,
    /// The node of the model's graph that it belongs to.
    pub node: usize,
    /// What is done.
    pub what: Operation,
    /// The values it takes, one at least.
    pub inputs: Vec<usize>,
    /// The value it makes.
    pub output: usize,
}

/// What an operation does. Arrays are indices into [`Program::arrays`](crate::Program::arrays).
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Convolution of an image.
    Conv {
        /// `[height, width, in / groups, out]` in memory.
        kernel: usize,
        /// `[out]`.
        bias: Option<usize>,
        /// Where the windows lie.
        window: Window,
        /// Into how many parts channels are split.
        groups: usize,
        /// Number of outputs.
        filters: usize,
    },
    /// The pass back of a convolution, from its output to its input; `window` is that convolution's.
    ConvTranspose {
        /// `[height, width, out, in]` in memory.
        kernel: usize,
        /// `[out]`.
        bias: Option<usize>,
        /// Where the windows lie in the image that is made.
        window: Window,
    },
    /// The last axis times a matrix.
    Dense {
        /// `[in, out]`.
        kernel: usize,
        /// `[out]`.
        bias: Option<usize>,
    },
    /// (x − mean) / √(variance + epsilon) · gamma + beta along the last axis.
    BatchNorm {
        /// Absent: 1.
        gamma: Option<usize>,
        /// Absent: 0.
        beta: Option<usize>,
        /// The moving mean.
        mean: usize,
        /// The moving variance.
        variance: usize,
        /// Added to the variance.
        epsilon: f64,
    },
    /// The same with each sample's own mean and variance over its last axes.
    LayerNorm {
        /// Absent: 1.
        gamma: Option<usize>,
        /// Absent: 0.
        beta: Option<usize>,
        /// Number of axes.
        axes: usize,
        /// Added to the variance.
        epsilon: f64,
    },
    /// The largest value or the mean of each window; padding does not count.
    Pool {
        /// Which of the two.
        kind: Pooling,
        /// Where the windows lie.
        window: Window,
    },
    /// The same over all pixels.
    GlobalPool {
        /// Which of the two.
        kind: Pooling,
        /// Whether height and width stay as axes of length 1.
        keepdims: bool,
    },
    /// Zeros around an image: [[top, bottom], [left, right]].
    Pad([[usize; 2]; 2]),
    /// Less of an image at its edges: [[top, bottom], [left, right]].
    Crop([[usize; 2]; 2]),
    /// An image enlarged by whole factors.
    UpSample {
        /// Of height and width.
        size: [usize; 2],
        /// Between pixels; otherwise they are repeated.
        bilinear: bool,
    },
    /// x · scale + offset.
    Scale {
        /// The factor.
        scale: f64,
        /// The summand.
        offset: f64,
    },
    /// A function of each value.
    Apply(Function),
    /// max(x, 0) + alpha · min(x, 0).
    PRelu {
        /// Its shape is that of the value, but 1 along axes that share an alpha.
        alpha: usize,
    },
    /// Softmax over the last axis.
    Softmax,
    /// The sum of the inputs; axes of length 1 are repeated.
    Add,
    /// Their product.
    Multiply,
    /// The first less the second.
    Subtract,
    /// The largest of the inputs, value by value.
    Maximum,
    /// The smallest of the inputs, value by value.
    Minimum,
    /// One behind the other along an axis.
    Concat {
        /// The axis, without the batch.
        axis: usize,
    },
    /// The same numbers under the output's shape.
    Reshape,
    /// The axes in another order: axis `i` of the output is axis `order[i]` of the input.
    Transpose(Vec<usize>),
    /// The first axis, of length 1, so many times.
    Repeat(usize),
    /// None of these: a sentence that names the layer and says what to do.
    Other(String),
}

/// Where the windows of a convolution or pooling lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Height and width.
    pub size: [usize; 2],
    /// From window to window.
    pub strides: [usize; 2],
    /// Distance of the taps.
    pub dilation: [usize; 2],
    /// Keras' `same`; `valid` otherwise.
    pub same: bool,
    /// What `same` adds: [[top, bottom], [left, right]].
    pub pads: [[usize; 2]; 2],
}

impl Window {
    /// A window over an image of shape `[height, width, channels]`.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn new(image: &[usize], size: Pair, strides: Pair, dilation: Pair, padding: Padding) -> Result<Window, String> {
        let [size, strides, dilation] = [size, strides, dilation].map(|Pair(h, w)| [h, w]);
        let mut pads = [[0; 2]; 2];
        for axis in 0..2 {
            let length = *image.get(axis).ok_or("expects an image")?;
            let (_, before, after) = padding.resolve(length, (size[axis] - 1) * dilation[axis] + 1, strides[axis])?;
            pads[axis] = [before, after];
        }
        Ok(Window { size, strides, dilation, same: padding == Padding::Same, pads })
    }
}

/// What a pooling takes from its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The largest value.
    Max,
    /// The mean.
    Average,
}
