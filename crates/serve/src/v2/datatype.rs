//! Types of tensors that are sent; all become f32, the type of every network here.

use crate::scan::{Number, exact};

/// A type of numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Datatype {
    /// Its name in requests.
    pub name: &'static str,
    /// Bytes of a number.
    pub size: usize,
    /// How one is read from JSON.
    pub number: Number,
    /// How one is read from its bytes.
    bytes: fn(&[u8]) -> Result<f32, String>,
}

macro_rules! whole {
    ($name:literal, $type:ty) => {
        Datatype {
            name: $name,
            size: size_of::<$type>(),
            number: |scan| {
                scan.whole(i64::try_from(<$type>::MIN).unwrap_or(i64::MIN), i64::try_from(<$type>::MAX).unwrap_or(i64::MAX))
            },
            bytes: |bytes| {
                let value = <$type>::from_le_bytes(bytes.try_into().map_err(|_| "bytes are missing")?);
                let value =
                    i64::try_from(value).map_err(|_| format!("{value} is too large for FP32, the type of the model's inputs"))?;
                exact(value, i64::MIN, i64::MAX)
            },
        }
    };
}

/// Those that are read.
const ALL: [Datatype; 10] = [
    Datatype {
        name: "FP32",
        size: 4,
        number: |scan| scan.float(),
        bytes: |bytes| finite(f32::from_le_bytes(bytes.try_into().map_err(|_| "bytes are missing")?)),
    },
    Datatype {
        name: "FP64",
        size: 8,
        number: |scan| scan.float(),
        bytes: |bytes| finite(f64::from_le_bytes(bytes.try_into().map_err(|_| "bytes are missing")?) as f32),
    },
    whole!("UINT8", u8),
    whole!("INT8", i8),
    whole!("UINT16", u16),
    whole!("INT16", i16),
    whole!("UINT32", u32),
    whole!("INT32", i32),
    whole!("UINT64", u64),
    whole!("INT64", i64),
];

impl Datatype {
    /// That of a name.
    ///
    /// # Errors
    /// Which there are.
    pub fn named(name: &str) -> Result<Self, String> {
        ALL.into_iter().find(|datatype| datatype.name == name).ok_or_else(|| {
            let names: Vec<&str> = ALL.iter().map(|datatype| datatype.name).collect();
            format!("datatype '{name}' is not read; expected FP32, or one of {}, which become FP32", names[1..].join(", "))
        })
    }

    /// Numbers one behind the other, little-endian.
    ///
    /// # Errors
    /// A number that is no number, or that f32 does not hold.
    pub fn decode(self, bytes: &[u8]) -> Result<Vec<f32>, String> {
        bytes.chunks_exact(self.size).map(self.bytes).collect()
    }
}

fn finite(value: f32) -> Result<f32, String> {
    if value.is_finite() { Ok(value) } else { Err("it holds NaN, Infinity or a number that is too large for FP32".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::Scan;

    #[test]
    fn bytes_and_text_are_the_same_numbers() {
        for (name, text, bytes) in [
            ("FP32", "-1.5", &(-1.5f32).to_le_bytes()[..]),
            ("FP64", "0.1", &0.1f64.to_le_bytes()),
            ("UINT8", "255", &[255]),
            ("INT8", "-128", &[128]),
            ("INT64", "-3", &(-3i64).to_le_bytes()),
            ("UINT64", "9007199254740992", &(1u64 << 53).to_le_bytes()),
        ] {
            let datatype = Datatype::named(name).unwrap();
            let read = (datatype.number)(&mut Scan::new(text.as_bytes())).unwrap();
            assert_eq!(datatype.decode(bytes), Ok(vec![read]), "{name}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let text = |name: &str, text: &str| (Datatype::named(name).unwrap().number)(&mut Scan::new(text.as_bytes()));
        assert_eq!(text("UINT8", "256").unwrap_err(), "expected a whole number from 0 to 255, got 256 at offset: 0");
        assert!(text("UINT8", "-1").is_err() && text("INT8", "0.5").is_err() && text("FP64", "1e300").is_err());
        for (name, bytes) in [
            ("FP32", &f32::NAN.to_le_bytes()[..]),
            ("FP64", &1e300f64.to_le_bytes()),
            ("INT32", &(i32::MAX).to_le_bytes()),
            ("UINT64", &u64::MAX.to_le_bytes()),
        ] {
            assert!(Datatype::named(name).unwrap().decode(bytes).is_err(), "{name}");
        }
        assert!(
            Datatype::named("BYTES")
                .unwrap_err()
                .starts_with("datatype 'BYTES' is not read; expected FP32, or one of FP64, UINT8")
        );
    }
}
