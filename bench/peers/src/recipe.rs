//! The recipe's layers in the few words that the peers need.

use crate::Result;
use std::path::Path;
use toml::Value;

#[derive(Clone, Copy, Debug)]
pub enum Layer {
    /// Square kernel, stride 1; `same` pads.
    Conv {
        filters: usize,
        kernel: usize,
        same: bool,
        relu: bool,
    },
    /// 2 by 2.
    Pool,
    Flatten,
    Dense {
        units: usize,
        relu: bool,
    },
    Dropout {
        rate: f64,
    },
}

/// A final softmax is left to the loss.
pub struct Recipe {
    pub name: String,
    pub batch: usize,
    pub layers: Vec<Layer>,
    pub scale: f32,
    pub offset: f32,
    /// Keras' class name.
    pub optimizer: String,
    pub learning_rate: f64,
    pub momentum: f64,
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => match text.split_once('/') {
            Some((above, below)) => Some(above.trim().parse::<f64>().ok()? / below.trim().parse::<f64>().ok()?),
            None => text.parse().ok(),
        },
        Value::Integer(n) => Some(*n as f64),
        other => other.as_float(),
    }
}

impl Recipe {
    pub fn read(path: &Path) -> Result<Recipe> {
        let table: toml::Table = std::fs::read_to_string(path)?.parse()?;
        let recipe = Recipe::of(&table).ok_or_else(|| format!("{}: not a network of this comparison", path.display()))?;
        Ok(recipe)
    }

    fn of(table: &toml::Table) -> Option<Recipe> {
        let (data, training) = (table.get("data")?, table.get("training")?);
        let optimizer = training.get("optimizer")?;
        let rate = optimizer.get("learning_rate")?;
        let layers = table.get("layers")?.as_array()?.iter().filter(|l| kind(l) != Some("Softmax"));
        Some(Recipe {
            name: table.get("name")?.as_str()?.to_owned(),
            batch: training.get("batch_size")?.as_integer()? as usize,
            layers: layers.map(layer).collect::<Option<_>>()?,
            scale: number(data.get("scale")?)? as f32,
            offset: number(data.get("offset")?)? as f32,
            optimizer: kind(optimizer)?.to_owned(),
            learning_rate: number(rate).or_else(|| number(rate.get("initial_learning_rate")?))?,
            momentum: optimizer.get("momentum").and_then(number).unwrap_or(0.0),
        })
    }
}

fn kind(value: &Value) -> Option<&str> {
    value.get("type")?.as_str()
}

fn layer(value: &Value) -> Option<Layer> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let whole = |key: &str| value.get(key)?.as_integer().map(|n| n as usize);
    let relu = text("activation") == Some("relu");
    Some(match kind(value)? {
        "Conv2D" if value.get("strides").is_none() => Layer::Conv {
            filters: whole("filters")?,
            kernel: value.get("kernel_size")?.get(0)?.as_integer()? as usize,
            same: text("padding") == Some("same"),
            relu,
        },
        "MaxPooling2D" => Layer::Pool,
        "Flatten" => Layer::Flatten,
        "Dense" => Layer::Dense { units: whole("units")?, relu },
        "Dropout" => Layer::Dropout { rate: number(value.get("rate")?)? },
        _ => return None,
    })
}
