//! What every optimiser would repeat: its parameters with their defaults, setters and places in a configuration.

use serde_json::{Map, Value};

use crate::object::{ConfigError, Fields};

/// An optimiser's own parameters in Keras' configuration.
pub(super) trait Parameters: Sized {
    /// Takes the parameters from a configuration; what is absent has its default.
    fn read(fields: &mut Fields) -> Result<Self, ConfigError>;

    /// Adds the parameters to a configuration, in Keras' order.
    fn write(&self, config: &mut Map<String, Value>);
}

/// A type that a parameter may have.
pub(super) trait Parameter: Sized {
    /// The value under `key`, or the default.
    fn read(fields: &mut Fields, key: &'static str, default: Self) -> Result<Self, ConfigError>;
}

impl Parameter for f64 {
    fn read(fields: &mut Fields, key: &'static str, default: f64) -> Result<f64, ConfigError> {
        fields.f64_or(key, default)
    }
}

impl Parameter for bool {
    fn read(fields: &mut Fields, key: &'static str, default: bool) -> Result<bool, ConfigError> {
        fields.bool_or(key, default)
    }
}

/// The setters of an optimiser whose parameters are at `$place`.
macro_rules! setters {
    ($type:ty, $self:ident => $place:expr, { $($(#[doc = $doc:literal])+ $field:ident: $kind:ty,)+ }) => {
        impl crate::optimizers::Optimizer<$type> {
            $(
                #[doc = concat!("Sets `", stringify!($field), "`.")]
                $(#[doc = $doc])+
                pub fn $field(mut $self, value: $kind) -> Self {
                    $place.$field = value;
                    $self
                }
            )+
        }
    };
}

/// Makes an optimiser of a table of parameters: the struct, its defaults, `new`, a setter for each, and [`Parameters`].
///
/// In parentheses: the name in files and Keras' default of the learning rate.
macro_rules! parameters {
    (
        $(#[$meta:meta])*
        $type:ident($name:literal, $rate:literal) { $($(#[doc = $doc:literal])+ $field:ident: $kind:ty = $default:expr,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $type {
            $($(#[doc = $doc])+ pub $field: $kind,)+
        }

        impl Default for $type {
            fn default() -> $type {
                $type { $($field: $default,)+ }
            }
        }

        impl $type {
            #[doc = concat!(stringify!($type), " with a step size (a number or a schedule); Keras' default is ", $rate, ".")]
            #[allow(clippy::new_ret_no_self)] // the optimiser is what a user wants of it
            pub fn new(learning_rate: impl Into<crate::optimizers::LearningRate>) -> crate::optimizers::Optimizer<$type> {
                crate::optimizers::Optimizer::base($type::default(), learning_rate.into(), $name)
            }
        }

        setters! { $type, self => self.kind, { $($(#[doc = $doc])+ $field: $kind,)+ } }

        impl crate::optimizers::parameters::Parameters for $type {
            fn read(fields: &mut crate::object::Fields) -> Result<$type, crate::object::ConfigError> {
                use crate::optimizers::parameters::Parameter;
                let default = $type::default();
                Ok($type { $($field: Parameter::read(fields, stringify!($field), default.$field)?,)+ })
            }

            fn write(&self, config: &mut serde_json::Map<String, serde_json::Value>) {
                $(config.insert(stringify!($field).into(), self.$field.into());)+
            }
        }
    };
}
