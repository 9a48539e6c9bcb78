//! `InputLayer`: where samples enter a model.

use super::{Base, Built, Layer, Shape, check_size};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The entry of a model: `[height, width, channels]` or any axes without the batch.
///
/// Keras file: `layers/core/input_layer.py`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InputLayer {
    #[serde(skip)]
    pub(crate) base: Base,
    pub(crate) shape: Shape,
}

impl InputLayer {
    /// An input of `shape`, the batch axis left out.
    pub fn new(shape: impl Into<Shape>) -> Self {
        InputLayer { base: Base::default(), shape: shape.into() }
    }

    /// Axis lengths without the batch.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Reads `batch_shape` (Keras 3), `batch_input_shape` (Keras 2) or `shape`.
    pub(crate) fn from_config(config: &Map<String, Value>) -> Result<Self, String> {
        let (key, value) = ["batch_shape", "batch_input_shape", "shape"]
            .iter()
            .find_map(|k| config.get(*k).filter(|v| !v.is_null()).map(|v| (*k, v)))
            .ok_or("needs batch_shape, e.g. [null, 28, 28, 1]")?;
        let axes = value.as_array().ok_or_else(|| format!("{key}: expected a list of axis lengths, got {value}"))?;
        let axes = if key == "shape" { &axes[..] } else { axes.get(1..).unwrap_or_default() };
        let shape = axes
            .iter()
            .map(|axis| match axis.as_u64() {
                Some(n) if (1..=1 << 24).contains(&n) => Ok(n as usize),
                _ => Err(format!("{key}: axis lengths after the batch must be known numbers, got {value}")),
            })
            .collect::<Result<_, _>>()?;
        Ok(InputLayer { base: Base::default(), shape })
    }
}

layer_builder!(InputLayer);

impl Layer for InputLayer {
    fn class_name(&self) -> &'static str {
        "InputLayer"
    }
    fn base(&self) -> &Base {
        &self.base
    }
    fn base_mut(&mut self) -> &mut Base {
        &mut self.base
    }
    fn config(&self) -> Map<String, Value> {
        let mut batch_shape = vec![Value::Null];
        batch_shape.extend(self.shape.iter().map(|&n| json!(n)));
        let mut map = Map::new();
        map.insert("batch_shape".into(), Value::Array(batch_shape));
        map.insert("sparse".into(), json!(false));
        map.insert("ragged".into(), json!(false));
        map
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
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
