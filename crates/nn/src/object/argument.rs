//! Types that an argument of an object may have.

use super::ConfigError;
use super::form::number;
use super::range::Range;
use serde_json::Value;
use std::path::PathBuf;

/// A value of a configuration.
pub trait Argument: Clone {
    /// What an error says was expected, such as "true or false".
    fn expected() -> String;

    /// The value; `None` when it is no such value. Never called with `null`, except where [`Argument::from_null`] gives something.
    fn read(value: &Value) -> Option<Self>;

    /// The value as files hold it.
    fn write(&self) -> Value;

    /// What `null` stands for; nothing, for most types: then the default of the argument holds.
    fn from_null() -> Option<Self> {
        None
    }

    /// What is wrong with a value that [`Argument::read`] refuses, where the type knows better than "expected this, got that": an object
    /// names the argument of its own that is wrong.
    fn refusal(value: &Value) -> Option<ConfigError> {
        let _ = value;
        None
    }

    /// The value as a number, for the ranges of [`super::range`]; numbers have one.
    fn as_number(&self) -> Option<f64> {
        None
    }
}

impl<T: Argument> Argument for Option<T> {
    fn expected() -> String {
        T::expected()
    }

    fn read(value: &Value) -> Option<Self> {
        T::read(value).map(Some)
    }

    fn write(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::write)
    }

    fn from_null() -> Option<Self> {
        Some(None)
    }

    fn refusal(value: &Value) -> Option<ConfigError> {
        T::refusal(value)
    }

    fn as_number(&self) -> Option<f64> {
        self.as_ref().and_then(T::as_number)
    }
}

impl Argument for bool {
    fn expected() -> String {
        "true or false".into()
    }

    fn read(value: &Value) -> Option<bool> {
        value.as_bool()
    }

    fn write(&self) -> Value {
        (*self).into()
    }
}

impl Argument for String {
    fn expected() -> String {
        "a string".into()
    }

    fn read(value: &Value) -> Option<String> {
        value.as_str().map(str::to_owned)
    }

    fn write(&self) -> Value {
        self.as_str().into()
    }
}

impl Argument for char {
    fn expected() -> String {
        "one character".into()
    }

    fn read(value: &Value) -> Option<char> {
        value.as_str()?.parse().ok()
    }

    fn write(&self) -> Value {
        self.to_string().into()
    }
}

impl Argument for PathBuf {
    fn expected() -> String {
        "a path".into()
    }

    fn read(value: &Value) -> Option<PathBuf> {
        value.as_str().map(PathBuf::from)
    }

    fn write(&self) -> Value {
        self.to_string_lossy().into()
    }
}

impl<T: Argument> Argument for Vec<T> {
    fn expected() -> String {
        format!("a list ({} each)", T::expected())
    }

    fn read(value: &Value) -> Option<Vec<T>> {
        value.as_array()?.iter().map(T::read).collect()
    }

    fn write(&self) -> Value {
        self.iter().map(T::write).collect()
    }
}

/// Numbers: how to read a JSON value, how to write one, and what an error expects.
macro_rules! numbers {
    ($($type:ty: $expected:literal, $read:expr, $write:expr;)+) => {$(
        impl Argument for $type {
            fn expected() -> String {
                $expected.into()
            }

            fn read(value: &Value) -> Option<$type> {
                let read: fn(&Value) -> Option<$type> = $read;
                read(value)
            }

            fn write(&self) -> Value {
                let write: fn($type) -> Value = $write;
                write(*self)
            }

            fn as_number(&self) -> Option<f64> {
                Some(*self as f64)
            }
        }
    )+};
}
numbers! {
    f64: "a number", |value| value.as_f64().filter(|x| x.is_finite()), Value::from;
    f32: "a number", |value| value.as_f64().filter(|x| x.is_finite()).map(|x| x as f32), number;
    u64: "a whole number, 0 or more", whole, Value::from;
    usize: "a whole number, 0 or more", |value| whole(value).and_then(|x| usize::try_from(x).ok()), Value::from;
    i64: "a whole number", Value::as_i64, Value::from;
}

/// Checks a number against its range; an absent one is not checked.
///
/// # Errors
/// [`ConfigError::BadValue`] when it lies outside.
pub fn check_range<T: Argument>(class: &str, key: &str, value: &T, range: &Range) -> Result<(), ConfigError> {
    match value.as_number() {
        // 2 rather than 2.0.
        Some(number) if !(range.holds)(number) && number.fract() == 0.0 => {
            Err(ConfigError::bad_value(class, key, range.expected, number))
        }
        Some(number) if !(range.holds)(number) => Err(ConfigError::bad_value(class, key, range.expected, value.write())),
        _ => Ok(()),
    }
}

/// A JSON number without a fraction; 8.0 is accepted as 8.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let number = value.as_f64()?;
        // 2^53: beyond it a float no longer says which whole number was meant.
        (number >= 0.0 && number.fract() == 0.0 && number <= 9_007_199_254_740_992.0).then_some(number as u64)
    })
}

/// Makes an enum whose variants are words in files: the first word of each is written, the others are read too.
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* $vis:vis enum $type:ident {
        $($(#[$doc:meta])* $variant:ident = $word:literal $(| $other:literal)*,)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $type {
            $($(#[$doc])* $variant,)+
        }

        impl $crate::object::Argument for $type {
            fn expected() -> String {
                format!("one of {}", [$($word),+].join(", "))
            }

            fn read(value: &$crate::serde_json::Value) -> Option<$type> {
                match value.as_str()? {
                    $($word $(| $other)* => Some($type::$variant),)+
                    _ => None,
                }
            }

            fn write(&self) -> $crate::serde_json::Value {
                match self {
                    $($type::$variant => $word.into(),)+
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    words! {
        enum Side {
            Left = "left" | "l",
            Right = "right",
        }
    }

    #[test]
    fn each_type_reads_what_it_writes() {
        fn same<T: Argument + PartialEq + std::fmt::Debug>(value: T, written: Value) {
            assert_eq!(value.write(), written);
            assert_eq!(T::read(&written), Some(value));
        }
        same(0.1f32, json!(0.1));
        same(1e-7f64, json!(1e-7));
        same(3usize, json!(3));
        same(-3i64, json!(-3));
        same(true, json!(true));
        same("x".to_owned(), json!("x"));
        same(vec![1u64, 2], json!([1, 2]));
        same(';', json!(";"));
        same(PathBuf::from("a/b"), json!("a/b"));
        same(Some(Side::Left), json!("left"));
        assert_eq!(None::<u64>.write(), Value::Null);
        assert_eq!(Option::<u64>::from_null(), Some(None));
    }

    #[test]
    fn other_values_are_refused() {
        assert_eq!(usize::read(&json!(-1)), None);
        assert_eq!(usize::read(&json!(8.0)), Some(8));
        assert_eq!(u64::read(&json!(0.5)), None);
        assert_eq!(f32::read(&json!("1")), None);
        assert_eq!(char::read(&json!("ab")), None);
        assert_eq!(Side::read(&json!("l")), Some(Side::Left));
        assert_eq!(Side::read(&json!("middle")), None);
        assert_eq!(<Option<Side>>::expected(), "one of left, right");
    }
}
