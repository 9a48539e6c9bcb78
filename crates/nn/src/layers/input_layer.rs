//! `InputLayer`: where samples enter a model.

use super::{Base, Built, Layer, Shape, check_size};
use crate::object::{Config, ConfigError, Declared, Fields};
use serde_json::{Value, json};

/// The entry of a model: `[height, width, channels]` or any axes without the batch.
///
/// Keras file: `layers/core/input_layer.py`. Declared by hand, because files have the shape with the batch, as `[null, 28, 28, 1]`.
#[derive(Clone, Debug, PartialEq)]
pub struct InputLayer {
    pub(crate) base: Base,
    pub(crate) shape: Shape,
}

keras_layer!(@base InputLayer);

impl InputLayer {
    /// An input of `shape`, the batch axis left out.
    pub fn new(shape: impl Into<Shape>) -> Self {
        InputLayer { base: Base::default(), shape: shape.into() }
    }

    /// Axis lengths without the batch.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }
}

impl Declared for InputLayer {
    const CLASS: &'static str = "InputLayer";
    const NAME: &'static str = "input_layer";
    const ALIASES: &'static [&'static str] = &[];
    const KEYS: &'static [&'static str] = &["batch_shape", "batch_input_shape", "shape", "sparse", "ragged", "optional"];

    /// Reads `batch_shape` (Keras 3), `batch_input_shape` (Keras 2) or `shape`.
    fn read(fields: &mut Fields) -> Result<Self, ConfigError> {
        let found = ["batch_shape", "batch_input_shape", "shape"].into_iter().find_map(|key| Some((key, fields.take(key)?)));
        let (key, value) = found.ok_or_else(|| ConfigError::MissingKey {
            class: Self::CLASS.into(),
            key: "batch_shape",
            expected: "the axis lengths, such as [null, 28, 28, 1]".into(),
        })?;
        let axis = |axis: &Value| axis.as_u64().filter(|n| (1..=1 << 24).contains(n)).map(|n| n as usize);
        let axes = value.as_array().ok_or_else(|| fields.bad(key, "a list of axis lengths", &value))?;
        let shape = axes.iter().skip(usize::from(key != "shape")).map(axis).collect::<Option<_>>();
        let shape = shape.ok_or_else(|| fields.bad(key, "known axis lengths, 1 or more, after the batch", &value))?;
        Ok(InputLayer { base: Base::default(), shape })
    }

    fn write(&self, config: &mut Config) {
        let shape: Vec<Value> = std::iter::once(Value::Null).chain(self.shape.iter().map(|&n| json!(n))).collect();
        config.insert("batch_shape".into(), shape.into());
        config.insert("sparse".into(), false.into());
        config.insert("ragged".into(), false.into());
    }

    fn check_ranges(&self) -> Result<(), ConfigError> {
        Ok(())
    }
}

impl Layer for InputLayer {
    fn is_input(&self) -> bool {
        true
    }

    fn build(&self, inputs: &[Shape]) -> Result<Built, String> {
        if !inputs.is_empty() {
            return Err("is an entry of the model and takes no input".into());
        }
        if self.shape.contains(&0) {
            return Err(format!("axis lengths must be at least 1, got {:?}", self.shape));
        }
        check_size("an input", &self.shape)?;
        Ok(Built::default())
    }
}
