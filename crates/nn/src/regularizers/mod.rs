//! Weight penalties: l1·Σ|w| + l2·Σw², added to the loss and, differentiated, to the gradient
//! (keras/src/regularizers/regularizers.py).

use serde_json::{Map, Value};

use crate::object::{Argument, ConfigError, Fields, number, parse_object, same_name, serde_by_value, to_object};

/// A penalty on the size of a weight's elements. Factors are finite and not negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Regularizer {
    /// l1·Σ|w|.
    L1 {
        /// The factor; Keras' default is 0.01.
        l1: f32,
    },
    /// l2·Σw² (no half in front: the gradient is 2·l2·w).
    L2 {
        /// The factor; Keras' default is 0.01.
        l2: f32,
    },
    /// l1·Σ|w| + l2·Σw².
    L1L2 {
        /// Factor of the absolute values; default 0.
        l1: f32,
        /// Factor of the squares; default 0.
        l2: f32,
    },
}

/// Sums are formed in runs of this length, so that the compiler may use lanes and the order never changes.
const LANES: usize = 8;

impl Regularizer {
    /// The class names that [`Regularizer::from_value`] knows.
    pub const NAMES: [&'static str; 3] = ["L1", "L2", "L1L2"];

    /// The penalty l1·Σ|w|.
    pub fn l1(l1: f32) -> Regularizer {
        Regularizer::L1 { l1 }
    }

    /// The penalty l2·Σw².
    pub fn l2(l2: f32) -> Regularizer {
        Regularizer::L2 { l2 }
    }

    /// The factors (l1, l2); 0 where there is none.
    pub fn coefficients(&self) -> (f32, f32) {
        match *self {
            Regularizer::L1 { l1 } => (l1, 0.0),
            Regularizer::L2 { l2 } => (0.0, l2),
            Regularizer::L1L2 { l1, l2 } => (l1, l2),
        }
    }

    /// What the weight `w` adds to the loss. Summed in f64 in a fixed order.
    pub fn loss(&self, w: &[f32]) -> f32 {
        let (l1, l2) = self.coefficients();
        let mut penalty = 0.0;
        if l1 != 0.0 {
            penalty += f64::from(l1) * sum(w, |v| f64::from(v.abs()));
        }
        if l2 != 0.0 {
            penalty += f64::from(l2) * sum(w, |v| f64::from(v) * f64::from(v));
        }
        penalty as f32
    }

    /// Adds the penalty's gradient l1·sign(w) + 2·l2·w to `g`; sign(0) is 0.
    ///
    /// # Panics
    /// When the slices differ in length.
    pub fn add_gradient(&self, w: &[f32], g: &mut [f32]) {
        assert_eq!(w.len(), g.len(), "a gradient has the length of its weight");
        let (l1, l2) = self.coefficients();
        if l2 != 0.0 {
            let twice = 2.0 * l2;
            for (g, w) in g.iter_mut().zip(w) {
                *g += twice * w;
            }
        }
        if l1 != 0.0 {
            for (g, w) in g.iter_mut().zip(w) {
                *g += l1 * sign(*w);
            }
        }
    }

    /// Reads any of the three forms of [`crate::serial`].
    ///
    /// # Errors
    /// [`ConfigError`] for unknown names or keys, and for a factor that is negative.
    pub fn from_value(value: &Value) -> Result<Regularizer, ConfigError> {
        let (name, map) = parse_object("regularizer", value)?;
        let Some(class) = Regularizer::NAMES.into_iter().find(|class| same_name(&name, class)) else {
            return Err(ConfigError::unknown_name("regularizer", &name, Regularizer::NAMES));
        };
        let mut fields = Fields::new(class, map);
        let regularizer = match class {
            "L1" => Regularizer::L1 { l1: fields.f32_or("l1", 0.01)? },
            "L2" => Regularizer::L2 { l2: fields.f32_or("l2", 0.01)? },
            _ => Regularizer::L1L2 { l1: fields.f32_or("l1", 0.0)?, l2: fields.f32_or("l2", 0.0)? },
        };
        fields.finish()?;
        regularizer.check()?;
        Ok(regularizer)
    }

    /// Checks the factors.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] when a factor is negative or not finite.
    pub fn check(&self) -> Result<(), ConfigError> {
        let (l1, l2) = self.coefficients();
        for (key, factor) in [("l1", l1), ("l2", l2)] {
            if !factor.is_finite() || factor < 0.0 {
                return Err(ConfigError::bad_value(self.class_name(), key, "a number, 0 or more", factor));
            }
        }
        Ok(())
    }

    /// The class name in Keras.
    pub fn class_name(&self) -> &'static str {
        match self {
            Regularizer::L1 { .. } => "L1",
            Regularizer::L2 { .. } => "L2",
            Regularizer::L1L2 { .. } => "L1L2",
        }
    }

    /// The Keras object.
    pub fn to_value(&self) -> Value {
        let mut config = Map::new();
        match *self {
            Regularizer::L1 { l1 } => {
                config.insert("l1".into(), number(l1));
            }
            Regularizer::L2 { l2 } => {
                config.insert("l2".into(), number(l2));
            }
            Regularizer::L1L2 { l1, l2 } => {
                config.insert("l1".into(), number(l1));
                config.insert("l2".into(), number(l2));
            }
        }
        to_object("keras.regularizers", self.class_name(), config)
    }
}

serde_by_value!(Regularizer);

impl Argument for Regularizer {
    fn expected() -> String {
        "a regularizer".into()
    }

    fn read(value: &Value) -> Option<Regularizer> {
        Regularizer::from_value(value).ok()
    }

    fn write(&self) -> Value {
        self.to_value()
    }

    fn refusal(value: &Value) -> Option<ConfigError> {
        Regularizer::from_value(value).err()
    }
}

/// The sign as Keras' gradient of |w| takes it: 0 at 0.
pub(crate) fn sign(w: f32) -> f32 {
    if w > 0.0 {
        1.0
    } else if w < 0.0 {
        -1.0
    } else {
        0.0
    }
}

/// Σ f(w) with [`LANES`] partial sums.
fn sum(w: &[f32], f: impl Fn(f32) -> f64) -> f64 {
    let mut partial = [0.0f64; LANES];
    let chunks = w.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (p, v) in partial.iter_mut().zip(chunk) {
            *p += f(*v);
        }
    }
    for (p, v) in partial.iter_mut().zip(rest) {
        *p += f(*v);
    }
    partial.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn penalties_by_hand() {
        let w = [1.0, -2.0, 0.0, 0.5];
        assert!((Regularizer::l1(0.1).loss(&w) - 0.35).abs() < 1e-7);
        assert!((Regularizer::l2(0.1).loss(&w) - 0.525).abs() < 1e-7);
        assert!((Regularizer::L1L2 { l1: 0.1, l2: 0.1 }.loss(&w) - 0.875).abs() < 1e-7);
    }

    #[test]
    fn the_gradient_is_the_derivative() {
        let w = [1.0f32, -2.0, 0.25, 0.5, -0.75, 3.0, 1.5, -0.125, 0.625];
        let regularizer = Regularizer::L1L2 { l1: 0.3, l2: 0.2 };
        let mut g = [1.0f32; 9];
        regularizer.add_gradient(&w, &mut g);
        for i in 0..w.len() {
            let (mut up, mut down) = (w, w);
            up[i] += 1e-2;
            down[i] -= 1e-2;
            let slope = (regularizer.loss(&up) - regularizer.loss(&down)) / 2e-2;
            // The penalty is quadratic here, so only rounding of the loss (about 2^-24·10/0.02) remains.
            assert!((g[i] - 1.0 - slope).abs() < 1e-4, "{i}: {} against {slope}", g[i] - 1.0);
        }
    }

    #[test]
    fn zero_has_no_slope() {
        let mut g = [0.0f32];
        Regularizer::l1(1.0).add_gradient(&[0.0], &mut g);
        assert_eq!(g, [0.0]);
    }

    #[test]
    fn configs_round_trip() {
        for regularizer in [Regularizer::l1(0.1), Regularizer::l2(5e-4), Regularizer::L1L2 { l1: 1e-5, l2: 2e-3 }] {
            let value = regularizer.to_value();
            assert_eq!(Regularizer::from_value(&value).unwrap(), regularizer);
            let text = serde_json::to_string(&regularizer).unwrap();
            assert_eq!(serde_json::from_str::<Regularizer>(&text).unwrap(), regularizer);
        }
        assert_eq!(
            Regularizer::l2(5e-4).to_value(),
            json!({"module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.0005}, "registered_name": null})
        );
        assert_eq!(Regularizer::from_value(&json!("l1_l2")).unwrap(), Regularizer::L1L2 { l1: 0.0, l2: 0.0 });
        assert_eq!(Regularizer::from_value(&json!({"type": "L2", "l2": 0.5})).unwrap(), Regularizer::l2(0.5));
    }

    #[test]
    fn errors_say_what_is_known() {
        assert_eq!(
            Regularizer::from_value(&json!("ridge")).unwrap_err().to_string(),
            "unknown regularizer \"ridge\"; known: L1, L2, L1L2"
        );
        assert_eq!(
            Regularizer::from_value(&json!({"type": "L2", "l2": -1.0})).unwrap_err().to_string(),
            "L2: l2 must be a number, 0 or more, got -1"
        );
    }
}
