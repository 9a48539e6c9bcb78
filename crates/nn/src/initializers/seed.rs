//! Where an initializer's random numbers come from.

use crate::object::Argument;
use maobi_kernels::rng::Stream;
use serde_json::Value;

/// The counter word that keeps weight draws apart from dropout masks and shuffles under the same seed.
const INITIALIZER_LAYER: u64 = u64::MAX - 1;

/// The seed of an initializer, negative ones included; without one it takes the model's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seed(pub Option<i64>);

impl Seed {
    /// The random numbers of this seed, or of `model`, the seed that [`InitializerFunction::fill`](super::InitializerFunction::fill) is given.
    pub fn stream(self, model: u64) -> Stream {
        Stream::new(self.0.map_or(model, |own| own as u64), 0, INITIALIZER_LAYER, 0)
    }
}

impl From<i64> for Seed {
    fn from(seed: i64) -> Seed {
        Seed(Some(seed))
    }
}

impl Argument for Seed {
    fn expected() -> String {
        "a whole number or null".into()
    }

    /// Takes a number or a serialized `SeedGenerator`.
    fn read(value: &Value) -> Option<Seed> {
        match value.pointer("/config/seed").unwrap_or(value) {
            Value::Null => Some(Seed(None)),
            number => number.as_i64().map(Seed::from),
        }
    }

    fn write(&self) -> Value {
        self.0.write()
    }

    fn from_null() -> Option<Seed> {
        Some(Seed(None))
    }
}
