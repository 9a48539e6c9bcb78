//! `--precision`: what numbers a network computes with, by Keras' names.

use std::fmt;
use std::str::FromStr;

/// The precisions there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32-bit weights and products.
    #[default]
    Float32,
}

impl Precision {
    /// All of them, the default first.
    const ALL: [Precision; 1] = [Precision::Float32];

    /// Keras' name of the policy.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Float32 => "float32",
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
        Precision::ALL.into_iter().find(|precision| precision.name() == text).ok_or_else(|| {
            let known = Precision::ALL.map(Precision::name).join(", ");
            match text {
                "mixed_bfloat16" | "mixed_float16" => format!("this version does not compute in {text} yet; expected {known}"),
                _ => format!("expected {known}"),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_keras_own_and_others_are_refused() {
        for precision in Precision::ALL {
            assert_eq!(precision.to_string().parse(), Ok(precision));
        }
        assert_eq!("float64".parse::<Precision>().unwrap_err(), "expected float32");
        assert!("mixed_float16".parse::<Precision>().unwrap_err().contains("not compute in mixed_float16 yet"));
    }
}
