//! The layers, one a file, with Keras' names, arguments and defaults.
//!
//! A layer is a description: its arguments, its JSON form, and [`Layer::build`], which checks the input shapes and lowers it to
//! [`Op`]s. Adding one takes its file and a line in [`registry`].

use crate::initializers::Initializer;
use crate::op::Op;
use crate::precision::Precision;
use crate::regularizers::Regularizer;
use serde_json::{Map, Value};
use std::any::Any;
use std::fmt;

#[macro_use]
mod macros;
#[macro_use]
mod folding;
pub mod arguments;
pub mod registry;

mod activation;
mod add;
mod affine;
mod average;
mod average_pooling2d;
mod axis;
mod batch_normalization;
mod batch_statistics;
mod concatenate;
mod conv2d;
mod dense;
mod depthwise_conv2d;
mod dropout;
mod elu;
mod flatten;
mod global_average_pooling2d;
mod global_max_pooling2d;
mod input_layer;
mod layer_normalization;
mod leaky_relu;
mod max_pooling2d;
mod merge;
mod multiply;
mod pool_window;
mod random_rotation;
mod random_translation;
mod random_zoom;
mod relu;
mod rescaling;
mod reshape;
mod sampling;
mod separable_conv2d;
mod softmax;
#[cfg(test)]
mod testing;
mod upsampling2d;
mod zero_padding2d;

pub use activation::Activation;
pub use add::Add;
pub use affine::{Factor, FillMode, Interpolation};
pub use average::Average;
pub use average_pooling2d::AveragePooling2D;
pub use axis::{Axes, Axis};
pub use batch_normalization::BatchNormalization;
pub use concatenate::Concatenate;
pub use conv2d::Conv2D;
pub use dense::Dense;
pub use depthwise_conv2d::DepthwiseConv2D;
pub use dropout::Dropout;
pub use elu::ELU;
pub use flatten::Flatten;
pub use folding::{Folded, PerChannel};
pub use global_average_pooling2d::GlobalAveragePooling2D;
pub use global_max_pooling2d::GlobalMaxPooling2D;
pub use input_layer::InputLayer;
pub use layer_normalization::LayerNormalization;
pub use leaky_relu::LeakyReLU;
pub use max_pooling2d::MaxPooling2D;
pub use multiply::Multiply;
pub use random_rotation::RandomRotation;
pub use random_translation::RandomTranslation;
pub use random_zoom::RandomZoom;
pub use relu::ReLU;
pub use rescaling::Rescaling;
pub use reshape::Reshape;
pub use separable_conv2d::SeparableConv2D;
pub use softmax::Softmax;
pub use upsampling2d::{UpSampling, UpSampling2D};
pub use zero_padding2d::{Margins, ZeroPadding2D};

/// Axis lengths without the batch axis, e.g. `[height, width, channels]`.
pub type Shape = Vec<usize>;

/// What every layer has: a name, whether its weights train, and what it computes with.
#[derive(Clone, Debug, PartialEq)]
pub struct Base {
    /// Given name; the model makes one up (`conv2d`, `conv2d_1`, …) when absent.
    pub name: Option<String>,
    /// Whether training changes the weights.
    pub trainable: bool,
    /// The dtype policy; the model's own when absent.
    pub precision: Option<Precision>,
}

impl Default for Base {
    fn default() -> Self {
        Base { name: None, trainable: true, precision: None }
    }
}

/// A weight that a layer declares when it is built.
#[derive(Clone, Debug)]
pub struct WeightSpec {
    /// Keras' name within the layer, e.g. `kernel`.
    pub name: &'static str,
    /// Axis lengths, e.g. `[kernel_height, kernel_width, in, out]`.
    pub shape: Vec<usize>,
    /// Where the initial values come from.
    pub initializer: Initializer,
    /// Penalty on the values, if any.
    pub regularizer: Option<Regularizer>,
    /// Whether the optimizer changes it (moving averages are not trainable).
    pub trainable: bool,
}

impl WeightSpec {
    /// A trainable weight.
    pub fn new(name: &'static str, shape: Vec<usize>, initializer: &Initializer, regularizer: Option<&Regularizer>) -> Self {
        WeightSpec { name, shape, initializer: initializer.clone(), regularizer: regularizer.cloned(), trainable: true }
    }

    /// A weight that training moves without gradient.
    pub fn state(name: &'static str, shape: Vec<usize>, initializer: &Initializer) -> Self {
        WeightSpec { trainable: false, ..WeightSpec::new(name, shape, initializer, None) }
    }
}

/// One op of a lowered layer.
#[derive(Debug)]
pub struct Step {
    /// The arithmetic.
    pub op: Box<dyn Op>,
    /// Indices into [`Built::weights`].
    pub weights: Vec<usize>,
    /// Shape of the op's output.
    pub output: Shape,
}

/// A layer whose shapes are known: its weights, and a chain of ops of which the first takes the layer's inputs.
#[derive(Debug, Default)]
pub struct Built {
    /// Weights in Keras' order.
    pub weights: Vec<WeightSpec>,
    /// The chain; empty means the layer passes its input through.
    pub steps: Vec<Step>,
}

impl Built {
    /// A layer without weights that is one op.
    pub fn op(op: impl Op + 'static, output: Shape) -> Self {
        Built { weights: Vec::new(), steps: vec![Step { op: Box::new(op), weights: Vec::new(), output }] }
    }

    /// Appends an op that takes the output of the chain so far.
    pub fn then(mut self, op: impl Op + 'static, weights: Vec<usize>, output: Shape) -> Self {
        self.steps.push(Step { op: Box::new(op), weights, output });
        self
    }
}

/// A layer: Keras' arguments, and how they become arithmetic.
pub trait Layer: Any + fmt::Debug + Send + Sync {
    /// Keras' class name, e.g. `Conv2D`.
    fn class_name(&self) -> &'static str;
    /// Name and trainability.
    fn base(&self) -> &Base;
    /// Name and trainability, to change.
    fn base_mut(&mut self) -> &mut Base;
    /// Keras' config without `name`, `trainable` and `dtype`.
    fn config(&self) -> Map<String, Value>;
    /// Checks arguments and input shapes (one per input, without the batch axis) and lowers the layer.
    ///
    /// # Errors
    /// A sentence that names the argument or axis, what was expected and what came. The model adds the layer's name.
    fn build(&self, inputs: &[Shape]) -> Result<Built, String>;
    /// What the layer does in inference, where it treats every value by itself.
    fn per_channel(&self, weights: &[&[f32]]) -> Option<PerChannel> {
        let _ = weights;
        None
    }
    /// This layer and `next` after it as one layer for inference, where it can take that over.
    fn followed_by(&self, next: &PerChannel, weights: &[&[f32]]) -> Option<Folded> {
        let _ = (next, weights);
        None
    }
    /// The layer as `Any`, to look at its own type.
    fn as_any(&self) -> &dyn Any;
}

/// Most values of one weight or of one sample's output: 2 GiB of f32, as much as a file may hold. Products of axes below it, and
/// of a few of them with a window's, do not overflow.
pub(crate) const MAX_VALUES: usize = 1 << 29;

/// An error unless an array of that shape has values, and at most [`MAX_VALUES`] of them.
pub(crate) fn check_size(what: &str, shape: &[usize]) -> Result<(), String> {
    let values = shape.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
    match values {
        Some(0) => Err(format!("{what} of shape {shape:?} has no values")),
        Some(n) if n <= MAX_VALUES => Ok(()),
        _ => Err(format!("{what} of shape {shape:?} is too large: more than {MAX_VALUES} values")),
    }
}

/// The one input of a layer that takes one.
pub(crate) fn single(inputs: &[Shape]) -> Result<&Shape, String> {
    match inputs {
        [one] => Ok(one),
        _ => Err(format!("takes one input, got {}", inputs.len())),
    }
}

/// The `[height, width, channels]` of a layer that takes one image-like input.
pub(crate) fn image(inputs: &[Shape]) -> Result<[usize; 3], String> {
    match single(inputs)?.as_slice() {
        &[h, w, c] => Ok([h, w, c]),
        other => Err(format!(
            "expects an input of shape [batch, height, width, channels], got {}; put a Reshape before it or give InputLayer three axes",
            show(other)
        )),
    }
}

/// A shape as Keras prints it, with the batch axis: `(None, 28, 28, 1)`.
pub fn show(shape: &[usize]) -> String {
    let mut s = String::from("(None");
    for n in shape {
        s.push_str(&format!(", {n}"));
    }
    if shape.is_empty() {
        s.push(',');
    }
    s.push(')');
    s
}
