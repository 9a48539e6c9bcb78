//! Initialisers as configuration.

use serde_json::{Map, Value};

use super::{Distribution, FanMode, Initializer};
use crate::object::{Argument, ConfigError, Fields, brief, number, parse_object, same_name, serde_by_value, to_object};

/// Class names and the aliases Keras has for them.
const CLASSES: [(&str, &[&str]); 13] = [
    ("Zeros", &["zero"]),
    ("Ones", &["one"]),
    ("Constant", &[]),
    ("RandomNormal", &["normal"]),
    ("TruncatedNormal", &[]),
    ("RandomUniform", &["uniform"]),
    ("VarianceScaling", &[]),
    ("GlorotUniform", &[]),
    ("GlorotNormal", &[]),
    ("HeUniform", &[]),
    ("HeNormal", &[]),
    ("LecunUniform", &[]),
    ("LecunNormal", &[]),
];

impl Initializer {
    /// The class names that [`Initializer::from_value`] knows.
    pub fn known_names() -> impl Iterator<Item = &'static str> {
        CLASSES.iter().map(|(class, _)| *class)
    }

    /// Reads any of the three forms of [`crate::serial`].
    ///
    /// # Errors
    /// [`ConfigError`] for unknown names or keys and values out of range.
    pub fn from_value(value: &Value) -> Result<Initializer, ConfigError> {
        let (name, map) = parse_object("initializer", value)?;
        let found = CLASSES.iter().find(|(class, aliases)| same_name(&name, class) || aliases.iter().any(|alias| *alias == name));
        let Some((class, _)) = found else {
            return Err(ConfigError::unknown_name("initializer", &name, Initializer::known_names()));
        };
        let mut fields = Fields::new(class, map);
        let initializer = read(class, &mut fields)?;
        fields.finish()?;
        initializer.check()?;
        Ok(initializer)
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] for a negative deviation, a scale that is not positive, or a bound that is not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key, expected, got: f32| Err(ConfigError::bad_value(self.class_name(), key, expected, got));
        match *self {
            Initializer::Constant { value } if !value.is_finite() => wrong("value", "a number", value),
            Initializer::RandomNormal { mean, stddev, .. } | Initializer::TruncatedNormal { mean, stddev, .. } => {
                if !mean.is_finite() {
                    return wrong("mean", "a number", mean);
                }
                if !(stddev.is_finite() && stddev >= 0.0) {
                    return wrong("stddev", "a number, 0 or more", stddev);
                }
                Ok(())
            }
            Initializer::RandomUniform { minval, maxval, .. } => {
                if !minval.is_finite() {
                    return wrong("minval", "a number", minval);
                }
                if !(maxval.is_finite() && maxval >= minval) {
                    return wrong("maxval", "a number, minval or more", maxval);
                }
                Ok(())
            }
            Initializer::VarianceScaling { scale, .. } if !(scale.is_finite() && scale > 0.0) => {
                wrong("scale", "a positive number", scale)
            }
            _ => Ok(()),
        }
    }

    /// The class name in Keras.
    pub fn class_name(&self) -> &'static str {
        match self {
            Initializer::Zeros => "Zeros",
            Initializer::Ones => "Ones",
            Initializer::Constant { .. } => "Constant",
            Initializer::RandomNormal { .. } => "RandomNormal",
            Initializer::TruncatedNormal { .. } => "TruncatedNormal",
            Initializer::RandomUniform { .. } => "RandomUniform",
            Initializer::VarianceScaling { .. } => "VarianceScaling",
            Initializer::GlorotUniform { .. } => "GlorotUniform",
            Initializer::GlorotNormal { .. } => "GlorotNormal",
            Initializer::HeUniform { .. } => "HeUniform",
            Initializer::HeNormal { .. } => "HeNormal",
            Initializer::LecunUniform { .. } => "LecunUniform",
            Initializer::LecunNormal { .. } => "LecunNormal",
        }
    }

    /// The Keras object, without `input_axes` and `output_axes`, which older Keras 3 refuses.
    pub fn to_value(&self) -> Value {
        let mut config = Map::new();
        let mut put = |key: &str, value: Value| {
            config.insert(key.into(), value);
        };
        match self {
            Initializer::Zeros | Initializer::Ones => {}
            Initializer::Constant { value } => put("value", number(*value)),
            Initializer::RandomNormal { mean, stddev, seed } | Initializer::TruncatedNormal { mean, stddev, seed } => {
                put("seed", seed_value(*seed));
                put("mean", number(*mean));
                put("stddev", number(*stddev));
            }
            Initializer::RandomUniform { minval, maxval, seed } => {
                put("seed", seed_value(*seed));
                put("minval", number(*minval));
                put("maxval", number(*maxval));
            }
            Initializer::VarianceScaling { scale, mode, distribution, seed } => {
                put("seed", seed_value(*seed));
                put("scale", number(*scale));
                put("mode", mode.name().into());
                put("distribution", distribution.name().into());
            }
            Initializer::GlorotUniform { seed }
            | Initializer::GlorotNormal { seed }
            | Initializer::HeUniform { seed }
            | Initializer::HeNormal { seed }
            | Initializer::LecunUniform { seed }
            | Initializer::LecunNormal { seed } => put("seed", seed_value(*seed)),
        }
        to_object("keras.initializers", self.class_name(), config)
    }
}

serde_by_value!(Initializer);

impl Argument for Initializer {
    fn expected() -> String {
        "an initializer".into()
    }

    fn read(value: &Value) -> Option<Initializer> {
        Initializer::from_value(value).ok()
    }

    fn write(&self) -> Value {
        self.to_value()
    }

    fn refusal(value: &Value) -> Option<ConfigError> {
        Initializer::from_value(value).err()
    }
}

fn seed_value(seed: Option<i64>) -> Value {
    seed.map_or(Value::Null, Value::from)
}

fn read(class: &str, fields: &mut Fields) -> Result<Initializer, ConfigError> {
    if class == "Zeros" || class == "Ones" {
        return Ok(if class == "Zeros" { Initializer::Zeros } else { Initializer::Ones });
    }
    if class == "Constant" {
        return Ok(Initializer::Constant { value: fields.f32_or("value", 0.0)? });
    }
    if class == "RandomNormal" || class == "TruncatedNormal" {
        let (mean, stddev, seed) = (fields.f32_or("mean", 0.0)?, fields.f32_or("stddev", 0.05)?, fields.seed()?);
        return Ok(match class {
            "RandomNormal" => Initializer::RandomNormal { mean, stddev, seed },
            _ => Initializer::TruncatedNormal { mean, stddev, seed },
        });
    }
    if class == "RandomUniform" {
        let (minval, maxval) = (fields.f32_or("minval", -0.05)?, fields.f32_or("maxval", 0.05)?);
        return Ok(Initializer::RandomUniform { minval, maxval, seed: fields.seed()? });
    }
    // Keras since 3.13; null everywhere unless the user names axes, which we do not support.
    fields.only("input_axes", &[])?;
    fields.only("output_axes", &[])?;
    if class == "VarianceScaling" {
        let scale = fields.f32_or("scale", 1.0)?;
        let mode = match fields.opt_string("mode")?.as_deref() {
            None | Some("fan_in") => FanMode::FanIn,
            Some("fan_out") => FanMode::FanOut,
            Some("fan_avg") => FanMode::FanAvg,
            Some(other) => {
                return Err(fields.bad("mode", "\"fan_in\", \"fan_out\" or \"fan_avg\"", &other.into()));
            }
        };
        let distribution = match fields.opt_string("distribution")?.map(|name| name.to_lowercase()).as_deref() {
            None | Some("truncated_normal" | "normal") => Distribution::TruncatedNormal,
            Some("untruncated_normal") => Distribution::UntruncatedNormal,
            Some("uniform") => Distribution::Uniform,
            Some(other) => {
                let expected = "\"truncated_normal\", \"untruncated_normal\" or \"uniform\"";
                return Err(ConfigError::bad_value(class, "distribution", expected, brief(&other.into())));
            }
        };
        return Ok(Initializer::VarianceScaling { scale, mode, distribution, seed: fields.seed()? });
    }
    let seed = fields.seed()?;
    Ok(match class {
        "GlorotUniform" => Initializer::GlorotUniform { seed },
        "GlorotNormal" => Initializer::GlorotNormal { seed },
        "HeUniform" => Initializer::HeUniform { seed },
        "HeNormal" => Initializer::HeNormal { seed },
        "LecunUniform" => Initializer::LecunUniform { seed },
        _ => Initializer::LecunNormal { seed },
    })
}

impl FanMode {
    /// The name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            FanMode::FanIn => "fan_in",
            FanMode::FanOut => "fan_out",
            FanMode::FanAvg => "fan_avg",
        }
    }
}

impl Distribution {
    /// The name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Distribution::TruncatedNormal => "truncated_normal",
            Distribution::UntruncatedNormal => "untruncated_normal",
            Distribution::Uniform => "uniform",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_class_round_trips_from_its_name() {
        for class in Initializer::known_names() {
            let initializer = Initializer::from_value(&json!(class)).unwrap();
            assert_eq!(initializer.class_name(), class);
            let snake = crate::object::to_snake_case(class);
            assert_eq!(Initializer::from_value(&json!(snake)).unwrap(), initializer);
            assert_eq!(Initializer::from_value(&initializer.to_value()).unwrap(), initializer);
            let text = serde_json::to_string(&initializer).unwrap();
            assert_eq!(serde_json::from_str::<Initializer>(&text).unwrap(), initializer);
        }
    }

    #[test]
    fn keras_objects_and_recipe_tables() {
        let keras = json!({"module": "keras.initializers", "class_name": "TruncatedNormal",
            "config": {"seed": 66478, "mean": 0.0, "stddev": 0.1}, "registered_name": null});
        let expected = Initializer::truncated_normal(0.0, 0.1).seed(66478);
        assert_eq!(Initializer::from_value(&keras).unwrap(), expected);
        assert_eq!(expected.to_value(), keras);
        let recipe = json!({"type": "TruncatedNormal", "stddev": 0.1, "seed": 66478});
        assert_eq!(Initializer::from_value(&recipe).unwrap(), expected);
    }

    #[test]
    fn keys_added_lately_are_read_but_never_written() {
        let late = json!({"class_name": "GlorotUniform",
            "config": {"seed": null, "input_axes": null, "output_axes": null}});
        let initializer = Initializer::from_value(&late).unwrap();
        assert_eq!(initializer.to_value()["config"], json!({"seed": null}));
        let axes = json!({"class_name": "GlorotUniform", "config": {"input_axes": [0]}});
        assert_eq!(Initializer::from_value(&axes).unwrap_err().to_string(), "GlorotUniform: input_axes must be absent, got [0]");
    }

    #[test]
    fn aliases_and_errors() {
        assert_eq!(Initializer::from_value(&json!("zero")).unwrap(), Initializer::Zeros);
        assert_eq!(Initializer::from_value(&json!("normal")).unwrap().class_name(), "RandomNormal");
        let unknown = Initializer::from_value(&json!("xavier")).unwrap_err().to_string();
        assert!(unknown.starts_with("unknown initializer \"xavier\"; known: Zeros, Ones, Constant,"), "{unknown}");
        assert_eq!(
            Initializer::from_value(&json!({"type": "VarianceScaling", "scale": 0})).unwrap_err().to_string(),
            "VarianceScaling: scale must be a positive number, got 0"
        );
        assert_eq!(
            Initializer::from_value(&json!({"type": "VarianceScaling", "mode": "fan"})).unwrap_err().to_string(),
            "VarianceScaling: mode must be \"fan_in\", \"fan_out\" or \"fan_avg\", got \"fan\""
        );
        assert_eq!(
            Initializer::from_value(&json!({"type": "RandomNormal", "std": 1.0})).unwrap_err().to_string(),
            "RandomNormal: unknown key \"std\"; known: mean, stddev, seed"
        );
    }
}
