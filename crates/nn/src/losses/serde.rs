//! Losses as configuration.

use serde_json::{Map, Value, json};

use super::Loss;
use crate::serial::{ConfigError, Fields, number, parse_object, same_name, serde_by_value, to_object};

/// Class names and the aliases Keras has for them.
const CLASSES: [(&str, &[&str]); 7] = [
    ("SparseCategoricalCrossentropy", &[]),
    ("CategoricalCrossentropy", &[]),
    ("BinaryCrossentropy", &["bce"]),
    ("MeanSquaredError", &["mse"]),
    ("MeanAbsoluteError", &["mae"]),
    ("Huber", &["huber_loss"]),
    ("KLDivergence", &["kld", "kullback_leibler_divergence"]),
];

impl Loss {
    /// The class names that [`Loss::from_value`] knows.
    pub fn known_names() -> impl Iterator<Item = &'static str> {
        CLASSES.iter().map(|(class, _)| *class)
    }

    /// The class that a name stands for, if any.
    pub(crate) fn class_of(name: &str) -> Option<&'static str> {
        let hit = |(class, aliases): &&(&str, &[&str])| {
            same_name(name, class) || aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
        };
        CLASSES.iter().find(hit).map(|(class, _)| *class)
    }

    /// Reads any of the three forms of [`crate::serial`].
    ///
    /// # Errors
    /// [`ConfigError`] for unknown names or keys, values out of range, and a `reduction` other than the mean.
    pub fn from_value(value: &Value) -> Result<Loss, ConfigError> {
        let (name, map) = parse_object("loss", value)?;
        let Some(class) = Loss::class_of(&name) else {
            return Err(ConfigError::unknown_name("loss", &name, Loss::known_names()));
        };
        let mut fields = Fields::new(class, map);
        let loss = Loss::read(class, &mut fields)?;
        // "auto" is what Keras 2 wrote for the mean.
        fields.only("reduction", &[json!("sum_over_batch_size"), json!("mean"), json!("auto")])?;
        fields.ignore(&["name", "dtype"]);
        fields.finish()?;
        loss.check_config()?;
        Ok(loss)
    }

    /// Takes the parameters of a class from its fields.
    pub(crate) fn read(class: &str, fields: &mut Fields) -> Result<Loss, ConfigError> {
        let loss = match class {
            "SparseCategoricalCrossentropy" => {
                let from_logits = fields.bool_or("from_logits", false)?;
                let ignore_class = match fields.take("ignore_class") {
                    None => None,
                    Some(value) => match value.as_i64() {
                        Some(class) => Some(class),
                        None => return Err(fields.bad("ignore_class", "a whole number or null", &value)),
                    },
                };
                Loss::SparseCategoricalCrossentropy { from_logits, ignore_class }
            }
            "CategoricalCrossentropy" => Loss::CategoricalCrossentropy {
                from_logits: fields.bool_or("from_logits", false)?,
                label_smoothing: fields.f32_or("label_smoothing", 0.0)?,
            },
            "BinaryCrossentropy" => Loss::BinaryCrossentropy {
                from_logits: fields.bool_or("from_logits", false)?,
                label_smoothing: fields.f32_or("label_smoothing", 0.0)?,
            },
            "MeanSquaredError" => Loss::MeanSquaredError,
            "MeanAbsoluteError" => Loss::MeanAbsoluteError,
            "Huber" => Loss::Huber { delta: fields.f32_or("delta", 1.0)? },
            _ => Loss::KLDivergence,
        };
        if class.ends_with("Crossentropy") {
            fields.only("axis", &[json!(-1)])?;
        }
        Ok(loss)
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] for a smoothing outside \[0, 1\] or a delta that is not positive.
    pub fn check_config(&self) -> Result<(), ConfigError> {
        match *self {
            Loss::CategoricalCrossentropy { label_smoothing: s, .. } | Loss::BinaryCrossentropy { label_smoothing: s, .. }
                if !(0.0..=1.0).contains(&s) =>
            {
                Err(ConfigError::bad_value(self.class_name(), "label_smoothing", "a number from 0 to 1", s))
            }
            Loss::Huber { delta } if !(delta.is_finite() && delta > 0.0) => {
                Err(ConfigError::bad_value("Huber", "delta", "a positive number", delta))
            }
            _ => Ok(()),
        }
    }

    /// The class name in Keras.
    pub fn class_name(&self) -> &'static str {
        match self {
            Loss::SparseCategoricalCrossentropy { .. } => "SparseCategoricalCrossentropy",
            Loss::CategoricalCrossentropy { .. } => "CategoricalCrossentropy",
            Loss::BinaryCrossentropy { .. } => "BinaryCrossentropy",
            Loss::MeanSquaredError => "MeanSquaredError",
            Loss::MeanAbsoluteError => "MeanAbsoluteError",
            Loss::Huber { .. } => "Huber",
            Loss::KLDivergence => "KLDivergence",
        }
    }

    /// The name Keras gives the object, such as `sparse_categorical_crossentropy`.
    pub fn name(&self) -> &'static str {
        match self {
            Loss::SparseCategoricalCrossentropy { .. } => "sparse_categorical_crossentropy",
            Loss::CategoricalCrossentropy { .. } => "categorical_crossentropy",
            Loss::BinaryCrossentropy { .. } => "binary_crossentropy",
            Loss::MeanSquaredError => "mean_squared_error",
            Loss::MeanAbsoluteError => "mean_absolute_error",
            Loss::Huber { .. } => "huber_loss",
            Loss::KLDivergence => "kl_divergence",
        }
    }

    /// The Keras object.
    pub fn to_value(&self) -> Value {
        let mut config = Map::new();
        config.insert("name".into(), self.name().into());
        config.insert("reduction".into(), "sum_over_batch_size".into());
        self.write(&mut config);
        to_object("keras.losses", self.class_name(), config)
    }

    /// Adds the parameters to a configuration.
    pub(crate) fn write(&self, config: &mut Map<String, Value>) {
        match *self {
            Loss::SparseCategoricalCrossentropy { from_logits, ignore_class } => {
                config.insert("from_logits".into(), from_logits.into());
                config.insert("ignore_class".into(), ignore_class.map_or(Value::Null, Value::from));
            }
            Loss::CategoricalCrossentropy { from_logits, label_smoothing }
            | Loss::BinaryCrossentropy { from_logits, label_smoothing } => {
                config.insert("from_logits".into(), from_logits.into());
                config.insert("label_smoothing".into(), number(label_smoothing));
                config.insert("axis".into(), Value::from(-1));
            }
            // Keras' own Huber forgets its delta on writing but reads it; it is written where it matters.
            Loss::Huber { delta } if delta != 1.0 => {
                config.insert("delta".into(), number(delta));
            }
            _ => {}
        }
    }
}

serde_by_value!(Loss);
