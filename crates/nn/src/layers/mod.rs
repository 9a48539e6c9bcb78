//! The layers, one a file, with Keras' names, arguments and defaults.
//!
//! A layer is a description: its arguments, declared by [`keras_layer!`](crate::keras_layer), and [`Layer::build`], which checks the
//! input shapes and lowers it to [`Op`]s. A layer is a file here and a line in the list below; a layer of your own implements [`Layer`]
//! and is registered with [`register_layer`].

use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::object::{Config, Object, objects};
use crate::op::Op;
use crate::precision::Precision;
use crate::program::Call;
use crate::regularizers::Regularizer;

#[macro_use]
mod macros;
#[macro_use]
mod folding;
pub mod arguments;
pub mod registry;

mod affine;
mod axis;
mod batch_statistics;
mod merge;
mod pool_window;
mod sequence;
#[cfg(test)]
mod testing;
mod value_range;

pub use affine::{Factor, FillMode, Interpolation};
pub use axis::{Axes, Axis};
pub use dot::DotAxes;
pub use folding::{Folded, PerChannel};
pub use normalization::Statistics;
pub use random_flip::FlipMode;
pub use registry::register_layer;
pub use upsampling2d::UpSampling;
pub use value_range::ValueRange;
pub use zero_padding2d::Margins;

objects! {
    /// All layers.
    pub(crate) static LAYERS: Registry<Box<dyn Layer>> = ("layer", "keras.layers", Box::new);
    input_layer::InputLayer,
    activation::Activation,
    add::Add,
    average::Average,
    average_pooling2d::AveragePooling2D,
    batch_normalization::BatchNormalization,
    center_crop::CenterCrop,
    concatenate::Concatenate,
    conv1d::Conv1D,
    conv2d::Conv2D,
    conv2d_transpose::Conv2DTranspose,
    dense::Dense,
    depthwise_conv2d::DepthwiseConv2D,
    dot::Dot,
    dropout::Dropout,
    elu::ELU,
    flatten::Flatten,
    gaussian_noise::GaussianNoise,
    global_average_pooling2d::GlobalAveragePooling2D,
    global_max_pooling2d::GlobalMaxPooling2D,
    group_normalization::GroupNormalization,
    layer_normalization::LayerNormalization,
    leaky_relu::LeakyReLU,
    max_pooling1d::MaxPooling1D,
    max_pooling2d::MaxPooling2D,
    maximum::Maximum,
    minimum::Minimum,
    multiply::Multiply,
    normalization::Normalization,
    permute::Permute,
    prelu::PReLU,
    random_brightness::RandomBrightness,
    random_contrast::RandomContrast,
    random_flip::RandomFlip,
    random_rotation::RandomRotation,
    random_translation::RandomTranslation,
    random_zoom::RandomZoom,
    relu::ReLU,
    rescaling::Rescaling,
    repeat_vector::RepeatVector,
    reshape::Reshape,
    resizing::Resizing,
    separable_conv2d::SeparableConv2D,
    softmax::Softmax,
    spatial_dropout2d::SpatialDropout2D,
    subtract::Subtract,
    unit_normalization::UnitNormalization,
    upsampling2d::UpSampling2D,
    zero_padding2d::ZeroPadding2D,
}

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
    /// What training does to the values after each step, if anything.
    pub constraint: Option<Constraint>,
    /// Whether the optimizer changes it (moving averages are not trainable).
    pub trainable: bool,
}

impl WeightSpec {
    /// A trainable weight.
    pub fn new(name: &'static str, shape: Vec<usize>, initializer: &Initializer, regularizer: Option<&Regularizer>) -> Self {
        WeightSpec {
            name,
            shape,
            initializer: initializer.clone(),
            regularizer: regularizer.cloned(),
            constraint: None,
            trainable: true,
        }
    }

    /// With a constraint on its values.
    #[must_use]
    pub fn constraint(self, constraint: Option<&Constraint>) -> Self {
        WeightSpec { constraint: constraint.cloned(), ..self }
    }

    /// Checks the arguments of initializer, regularizer and constraint.
    pub(crate) fn check(&self) -> Result<(), String> {
        let checked = self.initializer.function().check();
        let regularizer = self.regularizer.as_ref().map_or(Ok(()), |regularizer| regularizer.function().check());
        let constraint = self.constraint.as_ref().map_or(Ok(()), |constraint| constraint.function().check());
        let shape = || self.constraint.as_ref().map_or(Ok(()), |constraint| constraint.function().check_shape(&self.shape));
        let checked = checked.and(regularizer).and(constraint).map_err(|error| error.to_string());
        checked.and_then(|()| shape()).map_err(|error| format!("{}: {error}", self.name))
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

/// Access to what every layer has; [`keras_layer!`](crate::keras_layer) makes it.
pub trait HasBase {
    /// Name, trainability and dtype policy.
    fn base(&self) -> &Base;
    /// The same, to change.
    fn base_mut(&mut self) -> &mut Base;
    /// A copy of the layer.
    fn boxed(&self) -> Box<dyn Layer>;
}

/// A layer: Keras' arguments, and how they become arithmetic.
pub trait Layer: Object + HasBase {
    /// Keras' config without `name`, `trainable` and `dtype`, in Keras' order.
    fn config(&self) -> Config {
        self.arguments()
    }
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
    /// Adds what the layer does in inference to a [`Program`](crate::Program), for formats that hold a computation, and returns
    /// the value that it makes. By default there is nothing for it.
    ///
    /// # Errors
    /// Why those formats cannot hold it, as the end of a sentence that begins with the layer.
    fn operations(&self, call: &mut Call<'_>) -> Result<usize, String> {
        let _ = call;
        Err("has no counterpart in this format; leave it out of the model or save it as .keras".into())
    }
    /// Whether inference passes its input through.
    fn acts_only_in_training(&self) -> bool {
        false
    }
    /// Under which name the layer of Keras keeps a weight, for TensorFlow's checkpoints.
    fn attribute<'a>(&self, weight: &'a str) -> &'a str {
        weight
    }
    /// Whether it is where samples enter a model.
    fn is_input(&self) -> bool {
        false
    }
    /// Whether its configuration holds `trainable`, which a few classes of Keras refuse.
    fn writes_trainable(&self) -> bool {
        true
    }
    /// Whether Keras calls it with a list of tensors.
    fn takes_list(&self) -> bool {
        false
    }
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
