//! Activation functions by Keras' names, as arguments of layers.

use crate::object::{Argument, ConfigError, to_snake_case};
use crate::text::did_you_mean;
use maobi_kernels::pointwise::Activation as Kernel;
use serde_json::Value;

/// The `activation` argument of a layer. `"relu".into()` makes one; an unknown name is reported when the layer is built.
#[derive(Clone, Debug, PartialEq)]
pub enum Activation {
    /// Element by element.
    Elementwise(Kernel),
    /// Softmax over the last axis.
    Softmax,
    /// A name that Keras does not have.
    Unknown(String),
}

impl Default for Activation {
    fn default() -> Self {
        Activation::Elementwise(Kernel::Linear)
    }
}

/// Keras' names (keras/src/activations/activations.py) with the defaults their functions have there.
const NAMES: [(&str, Activation); 16] = [
    ("linear", Activation::Elementwise(Kernel::Linear)),
    ("relu", Activation::Elementwise(Kernel::Relu { max_value: None, negative_slope: 0.0, threshold: 0.0 })),
    ("relu6", Activation::Elementwise(Kernel::Relu { max_value: Some(6.0), negative_slope: 0.0, threshold: 0.0 })),
    ("leaky_relu", Activation::Elementwise(Kernel::LeakyRelu { negative_slope: 0.2 })),
    ("elu", Activation::Elementwise(Kernel::Elu { alpha: 1.0 })),
    ("selu", Activation::Elementwise(Kernel::Selu)),
    ("gelu", Activation::Elementwise(Kernel::Gelu { approximate: false })),
    ("silu", Activation::Elementwise(Kernel::Silu)),
    ("swish", Activation::Elementwise(Kernel::Silu)),
    ("sigmoid", Activation::Elementwise(Kernel::Sigmoid)),
    ("hard_sigmoid", Activation::Elementwise(Kernel::HardSigmoid)),
    ("tanh", Activation::Elementwise(Kernel::Tanh)),
    ("softplus", Activation::Elementwise(Kernel::Softplus)),
    ("softsign", Activation::Elementwise(Kernel::Softsign)),
    ("exponential", Activation::Elementwise(Kernel::Exponential)),
    ("softmax", Activation::Softmax),
];

impl From<&str> for Activation {
    fn from(name: &str) -> Self {
        match NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, activation)) => activation.clone(),
            None => Activation::Unknown(name.to_string()),
        }
    }
}

impl Activation {
    /// Keras' name.
    pub fn name(&self) -> &str {
        match self {
            Activation::Unknown(name) => name,
            known => NAMES.iter().find(|(_, a)| a == known).map_or("linear", |(name, _)| name),
        }
    }

    /// The function, or a sentence that lists the known names.
    pub(crate) fn check(&self) -> Result<&Self, String> {
        match self {
            Activation::Unknown(name) => {
                let known: Vec<_> = NAMES.iter().map(|(n, _)| *n).collect();
                Err(format!(
                    "unknown activation \"{name}\"{}; known are {}",
                    did_you_mean(name, known.iter().copied()),
                    known.join(", ")
                ))
            }
            known => Ok(known),
        }
    }
}

impl Argument for Activation {
    fn expected() -> String {
        "the name of an activation".into()
    }

    /// Takes a name or Keras' object form (`{"class_name": "function", "config": "relu", …}`, `{"class_name": "ReLU", …}`).
    fn read(value: &Value) -> Option<Activation> {
        let activation = Activation::from(name(value)?.as_str());
        activation.check().is_ok().then_some(activation)
    }

    fn write(&self) -> Value {
        self.name().into()
    }

    fn from_null() -> Option<Activation> {
        Some(Activation::default())
    }

    fn refusal(value: &Value) -> Option<ConfigError> {
        let known = NAMES.iter().map(|(name, _)| *name);
        Some(ConfigError::unknown_name("activation", &name(value)?, known))
    }
}

fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.clone()),
        Value::Object(map) => match (map.get("config"), map.get("class_name")) {
            (Some(Value::String(function)), _) => Some(function.clone()),
            (_, Some(Value::String(class))) => Some(to_snake_case(class).replace("re_lu", "relu")),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_survive_a_round_trip() {
        for (name, activation) in NAMES.iter().filter(|(n, _)| *n != "swish") {
            assert_eq!(activation.write(), *name);
            assert_eq!(&Activation::read(&activation.write()).unwrap(), activation);
        }
    }

    #[test]
    fn object_forms_are_understood() {
        let object = json!({"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "function"});
        assert_eq!(Activation::read(&object), Some(Activation::from("relu")));
        assert_eq!(Activation::read(&json!({"class_name": "LeakyReLU", "config": {}})), Some(Activation::from("leaky_relu")));
    }

    #[test]
    fn a_misspelt_name_lists_the_known_ones() {
        let message = Activation::from("rleu").check().unwrap_err();
        assert!(message.contains("rleu") && message.contains("relu6"), "{message}");
        let refusal = Activation::refusal(&json!("rleu")).unwrap().to_string();
        assert!(
            refusal.starts_with("unknown activation \"rleu\" (did you mean \"relu\"?); known: linear, relu, relu6,"),
            "{refusal}"
        );
    }
}
