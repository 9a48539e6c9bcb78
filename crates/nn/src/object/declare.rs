//! The declaration of an object.

use super::{Config, ConfigError, Fields};
use std::any::Any;
use std::fmt::Debug;

/// What [`keras_object!`](crate::keras_object) makes of a declaration.
pub trait Declared: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// Keras' class name.
    const CLASS: &'static str;
    /// Keras' name of an object of this class, such as `huber_loss`.
    const NAME: &'static str;
    /// Other names under which it is found.
    const ALIASES: &'static [&'static str];
    /// The keys that its configuration may have.
    const KEYS: &'static [&'static str];

    /// Takes the arguments from a configuration; those that are absent have their defaults.
    ///
    /// # Errors
    /// [`ConfigError`] for a value of another kind or outside its range, and for an absent argument that has no default.
    fn read(fields: &mut Fields) -> Result<Self, ConfigError>;

    /// Adds the arguments to a configuration, in the order of the declaration.
    fn write(&self, config: &mut Config);

    /// Checks the ranges of the arguments, which setters do not.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] for the first that lies outside.
    fn check_ranges(&self) -> Result<(), ConfigError>;
}

/// An object of any class; every [`Declared`] is one.
pub trait Object: Any + Debug + Send + Sync {
    /// Keras' class name.
    fn class_name(&self) -> &'static str;

    /// Keras' name of the object.
    fn default_name(&self) -> &'static str;

    /// The arguments as Keras' config has them.
    fn arguments(&self) -> Config;

    /// Checks the ranges of the arguments.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] for the first that lies outside.
    fn check_arguments(&self) -> Result<(), ConfigError>;

    /// Whether another object is of the same class and has the same arguments.
    fn same(&self, other: &dyn Object) -> bool;

    /// The object as `Any`, to look at its own type.
    fn as_any(&self) -> &dyn Any;
}

impl<T: Declared> Object for T {
    fn class_name(&self) -> &'static str {
        T::CLASS
    }

    fn default_name(&self) -> &'static str {
        T::NAME
    }

    fn arguments(&self) -> Config {
        let mut config = Config::new();
        self.write(&mut config);
        config
    }

    fn check_arguments(&self) -> Result<(), ConfigError> {
        self.check_ranges()
    }

    fn same(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref::<T>() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Declares an object with a configuration.
///
/// ```
/// use maobi_nn::keras_object;
/// use maobi_nn::object::{Declared, range};
///
/// keras_object! {
///     /// Mean over columns of |p − t|^power.
///     pub struct PowerLoss("power_loss", "power") {
///         /// The power; above 0, 2 by default.
///         power: f32 where range::POSITIVE = 2.0,
///         /// Whether values are scaled first; false by default.
///         scaled: bool = false,
///     }
/// }
///
/// let loss = PowerLoss::new().power(3.0);
/// assert_eq!((PowerLoss::CLASS, loss.scaled), ("PowerLoss", false));
/// assert!(PowerLoss::new().power(-1.0).check_ranges().is_err());
///
/// keras_object! {
///     /// A layer of `units` outputs.
///     pub struct Outputs("outputs") new(
///         /// Number of outputs; 1 or more.
///         units: usize where range::AT_LEAST_ONE,
///         /// How many outputs share a weight; 1 where a configuration does not say.
///         groups: usize = 1,
///     ) {
///         /// What its weights are scaled by; 1 by default.
///         scale: f64 = 1.0,
///     }
/// }
/// assert_eq!(Outputs::new(10, 2).scale(0.5).units, 10);
/// ```
///
/// The name of the struct is Keras' class name. In parentheses: Keras' name of the object, then other names under which it is found. The
/// arguments of `new`, which may be absent, must be given; a configuration may leave out those with a default. `with base: Base` in front of
/// them adds a field that is no argument and begins with its default: what all objects of a family share, or what an object keeps while it
/// runs. `with base: Base = Base::new(0.01)` says what it begins with; then `new` is the family's, too. Behind the arguments there may be those
/// of Keras that have one value here:
/// `fixed { axis: -1 }` is written and must be absent or that value, `accepted { reduction: ["mean", "auto"] }` is not written,
/// `null { kernel_constraint }` is written as null and must be absent or null. Last, `old { alpha: negative_slope }` is another key
/// under which an argument is read. Setters take what goes `Into` the type of an argument, and `T` for an `Option<T>`.
#[macro_export]
macro_rules! keras_object {
    // The setters, one argument at a time: a plain `2` or `0.5` has to do.
    (@setters) => {};
    (@setters $(#[$doc:meta])* $field:ident: Option<$kind:ident> $(where $range:path)? = $default:expr, $($rest:tt)*) => {
        $crate::keras_object!(@option $kind, $(#[$doc])* $field);
        $crate::keras_object!(@setters $($rest)*);
    };
    (@setters $(#[$doc:meta])* $field:ident: $kind:ident $(where $range:path)? = $default:expr, $($rest:tt)*) => {
        $crate::keras_object!(@one $kind, $(#[$doc])* $field);
        $crate::keras_object!(@setters $($rest)*);
    };
    (@setters $(#[$doc:meta])* $field:ident: $kind:ty $(where $range:path)? = $default:expr, $($rest:tt)*) => {
        $crate::keras_object!(@setter $(#[$doc])* $field: impl Into<$kind>, $field.into());
        $crate::keras_object!(@setters $($rest)*);
    };
    (@option f32, $(#[$doc:meta])* $field:ident) => { $crate::keras_object!(@setter $(#[$doc])* $field: f32, Some($field)); };
    (@option usize, $(#[$doc:meta])* $field:ident) => { $crate::keras_object!(@setter $(#[$doc])* $field: usize, Some($field)); };
    (@option u64, $(#[$doc:meta])* $field:ident) => { $crate::keras_object!(@setter $(#[$doc])* $field: u64, Some($field)); };
    (@option i64, $(#[$doc:meta])* $field:ident) => { $crate::keras_object!(@setter $(#[$doc])* $field: i64, Some($field)); };
    (@option $kind:ident, $(#[$doc:meta])* $field:ident) => {
        $crate::keras_object!(@setter $(#[$doc])* $field: impl Into<$kind>, Some($field.into()));
    };
    (@one f32, $(#[$doc:meta])* $field:ident) => { $crate::keras_object!(@setter $(#[$doc])* $field: f32, $field); };
    (@one usize, $(#[$doc:meta])* $field:ident) => { $crate::keras_object!(@setter $(#[$doc])* $field: usize, $field); };
    (@one u64, $(#[$doc:meta])* $field:ident) => { $crate::keras_object!(@setter $(#[$doc])* $field: u64, $field); };
    (@one i64, $(#[$doc:meta])* $field:ident) => { $crate::keras_object!(@setter $(#[$doc])* $field: i64, $field); };
    (@one $kind:ident, $(#[$doc:meta])* $field:ident) => {
        $crate::keras_object!(@setter $(#[$doc])* $field: impl Into<$kind>, $field.into());
    };
    (@setter $(#[$doc:meta])* $field:ident: $given:ty, $value:expr) => {
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, $field: $given) -> Self {
            self.$field = $value;
            self
        }
    };
    // `new`, which takes what has no default.
    (@new [$($parameter:tt)*] [$($value:expr,)*]) => {
        /// With the defaults of all other arguments.
        #[must_use]
        pub fn new($($parameter)*) -> Self {
            Self::required($($value),*)
        }
    };
    (@new [$($p:tt)*] [$($v:expr,)*] $(#[$doc:meta])* $field:ident: usize $(where $range:path)? $(= $default:expr)?, $($rest:tt)*) => {
        $crate::keras_object!(@new [$($p)* $field: usize,] [$($v,)* $field,] $($rest)*);
    };
    (@new [$($p:tt)*] [$($v:expr,)*] $(#[$doc:meta])* $field:ident: u64 $(where $range:path)? $(= $default:expr)?, $($rest:tt)*) => {
        $crate::keras_object!(@new [$($p)* $field: u64,] [$($v,)* $field,] $($rest)*);
    };
    (@new [$($p:tt)*] [$($v:expr,)*] $(#[$doc:meta])* $field:ident: f32 $(where $range:path)? $(= $default:expr)?, $($rest:tt)*) => {
        $crate::keras_object!(@new [$($p)* $field: f32,] [$($v,)* $field,] $($rest)*);
    };
    (@new [$($p:tt)*] [$($v:expr,)*] $(#[$doc:meta])* $field:ident: $kind:ty $(where $range:path)? $(= $default:expr)?, $($rest:tt)*) => {
        $crate::keras_object!(@new [$($p)* $field: impl Into<$kind>,] [$($v,)* $field.into(),] $($rest)*);
    };
    (@need $fields:ident, $need:ident) => { $fields.required(stringify!($need))? };
    (@need $fields:ident, $need:ident, $default:expr) => { $fields.argument(stringify!($need), $default)? };
    (@default $type:ident) => {
        impl Default for $type {
            fn default() -> Self {
                Self::required()
            }
        }
    };
    (@default $type:ident $($required:tt)+) => {};
    (
        @object $(#[$meta:meta])* $vis:vis struct $type:ident($name:literal $(, $alias:literal)* $(,)?) [$($shared:ident: $base:path = $begins:expr)?]
        { $($(#[$need_doc:meta])* $need:ident: $need_kind:ty $(where $need_range:path)? $(= $need_default:expr)?,)* }
        { $($(#[$doc:meta])* $field:ident: $kind:ty $(where $range:path)? = $default:expr,)* }
        { $($fixed:ident: $fixed_value:literal),* } { $($accepted:ident: [$($one_of:literal),*]),* } { $($null:ident),* }
        { $($old:ident: $new:ident),* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $type {
            $(pub(crate) $shared: $base,)?
            $($(#[$need_doc])* pub $need: $need_kind,)*
            $($(#[$doc])* pub $field: $kind,)*
        }

        impl $type {
            fn required($($need: $need_kind),*) -> Self {
                Self { $($shared: $begins,)? $($need,)* $($field: $default,)* }
            }
        }

        impl $crate::object::Declared for $type {
            const CLASS: &'static str = stringify!($type);
            const NAME: &'static str = $name;
            const ALIASES: &'static [&'static str] = &[$name $(, $alias)*];
            const KEYS: &'static [&'static str] = &[
                $(stringify!($need),)* $(stringify!($field),)* $(stringify!($fixed),)* $(stringify!($accepted),)*
                $(stringify!($null),)* $(stringify!($old),)*
            ];

            #[allow(unused_variables)]
            fn read(fields: &mut $crate::object::Fields) -> Result<Self, $crate::object::ConfigError> {
                $(fields.rename(stringify!($old), stringify!($new));)*
                let read = Self {
                    $($shared: $begins,)?
                    $($need: $crate::keras_object!(@need fields, $need $(, $need_default)?),)*
                    $($field: fields.argument(stringify!($field), $default)?,)*
                };
                $(fields.only(stringify!($fixed), &[$fixed_value.into()])?;)*
                $(fields.only(stringify!($accepted), &[$($one_of.into()),*])?;)*
                $(fields.only(stringify!($null), &[])?;)*
                read.check_ranges()?;
                Ok(read)
            }

            #[allow(unused_variables)]
            fn write(&self, config: &mut $crate::object::Config) {
                $(config.insert(stringify!($need).into(), $crate::object::Argument::write(&self.$need));)*
                $(config.insert(stringify!($field).into(), $crate::object::Argument::write(&self.$field));)*
                $(config.insert(stringify!($null).into(), $crate::serde_json::Value::Null);)*
                $(config.insert(stringify!($fixed).into(), $fixed_value.into());)*
            }

            fn check_ranges(&self) -> Result<(), $crate::object::ConfigError> {
                $($($crate::object::check_range(Self::CLASS, stringify!($need), &self.$need, &$need_range)?;)?)*
                $($($crate::object::check_range(Self::CLASS, stringify!($field), &self.$field, &$range)?;)?)*
                Ok(())
            }
        }
    };
    (
        $(#[$meta:meta])* $vis:vis struct $type:ident($($name:literal),+ $(,)?)
        $(with $shared:ident: $base:path,)? $(new($($required:tt)*))? { $($arguments:tt)* }
        $(fixed { $($fixed:tt)* })? $(accepted { $($accepted:tt)* })? $(null { $($null:tt)* })?
        $(old { $($old:tt)* })?
    ) => {
        $crate::keras_object!(
            @object $(#[$meta])* $vis struct $type($($name),+) [$($shared: $base = <$base>::default())?] { $($($required)*)? } { $($arguments)* }
            { $($($fixed)*)? } { $($($accepted)*)? } { $($($null)*)? }
            { $($($old)*)? }
        );
        $crate::keras_object!(@default $type $($($required)*)?);

        impl $type {
            $crate::keras_object!(@new [] [] $($($required)*)?);
            $crate::keras_object!(@setters $($arguments)*);
        }
    };
    (
        $(#[$meta:meta])* $vis:vis struct $type:ident($($name:literal),+ $(,)?) with $shared:ident: $base:path = $begins:expr, { $($arguments:tt)* }
        $(fixed { $($fixed:tt)* })? $(accepted { $($accepted:tt)* })? $(null { $($null:tt)* })?
    ) => {
        $crate::keras_object!(
            @object $(#[$meta])* $vis struct $type($($name),+) [$shared: $base = $begins] {} { $($arguments)* }
            { $($($fixed)*)? } { $($($accepted)*)? } { $($($null)*)? } {}
        );
        $crate::keras_object!(@default $type);

        impl $type {
            $crate::keras_object!(@setters $($arguments)*);
        }
    };
}
