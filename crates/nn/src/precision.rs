//! Keras' dtype policies: which numbers layers compute with.
//!
//! A mixed policy keeps weights and optimizer in f32. A layer reads its weights and inputs rounded to 16 bits, and what it makes, and the
//! gradients that flow back through it, are rounded again (keras/src/dtype_policies/dtype_policy.py, keras/src/layers/layer.py). Sums
//! within a product, losses, a softmax or sigmoid that ends the model, statistics and weights of normalization layers, and the
//! gradients of weights stay f32.

use maobi_kernels::round::Half;
use serde_json::{Value, json};
use std::fmt;
use std::str::FromStr;

/// A dtype policy, by Keras' names.
///
/// ```
/// use maobi_nn::Precision;
/// assert_eq!("mixed_bfloat16".parse(), Ok(Precision::MixedBfloat16));
/// assert_eq!(Precision::default().name(), "float32");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// Everything in 32 bits.
    #[default]
    Float32,
    /// bfloat16: the range of f32 with 8 significant bits.
    MixedBfloat16,
    /// IEEE half: 11 significant bits, from 6e-8 to 65,504. Training scales the loss, see [`crate::optimizers::LossScale`].
    MixedFloat16,
}

impl Precision {
    /// All of them, the default first.
    pub const ALL: [Precision; 3] = [Precision::Float32, Precision::MixedBfloat16, Precision::MixedFloat16];

    /// Keras' name of the policy.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Float32 => "float32",
            Precision::MixedBfloat16 => "mixed_bfloat16",
            Precision::MixedFloat16 => "mixed_float16",
        }
    }

    /// Keras' name of the numbers that layers make.
    pub fn compute_dtype(self) -> &'static str {
        match self {
            Precision::Float32 => "float32",
            Precision::MixedBfloat16 => "bfloat16",
            Precision::MixedFloat16 => "float16",
        }
    }

    /// What values are rounded to.
    pub(crate) fn half(self) -> Option<Half> {
        match self {
            Precision::Float32 => None,
            Precision::MixedBfloat16 => Some(Half::Bfloat16),
            Precision::MixedFloat16 => Some(Half::Float16),
        }
    }

    /// The object that Keras writes as a layer's `dtype`.
    pub(crate) fn to_value(self) -> Value {
        json!({ "module": "keras", "class_name": "DTypePolicy", "config": { "name": self.name() }, "registered_name": null })
    }

    /// Reads a layer's `dtype`: the name, or Keras' object.
    ///
    /// # Errors
    /// What came, and what is known.
    pub(crate) fn from_value(value: &Value) -> Result<Precision, String> {
        let object = || value.get("config")?.get("name")?.as_str();
        match value.as_str().or_else(object) {
            Some(name) => name.parse().map_err(|known| format!("dtype: {known}, got \"{name}\"")),
            None => Err(format!("dtype: expected the name of a policy, got {value}")),
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Precision::ALL
            .into_iter()
            .find(|precision| precision.name() == text)
            .ok_or_else(|| format!("expected {}", Precision::ALL.map(Precision::name).join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_keras_own_and_others_are_refused() {
        for precision in Precision::ALL {
            assert_eq!(precision.to_string().parse(), Ok(precision));
            assert_eq!(Precision::from_value(&precision.to_value()), Ok(precision));
            assert_eq!(Precision::from_value(&precision.name().into()), Ok(precision));
        }
        assert_eq!("float64".parse::<Precision>().unwrap_err(), "expected float32, mixed_bfloat16, mixed_float16");
        let message = Precision::from_value(&json!("float16")).unwrap_err();
        assert_eq!(message, "dtype: expected float32, mixed_bfloat16, mixed_float16, got \"float16\"");
    }
}
