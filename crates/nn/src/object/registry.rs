//! All objects of a family, by their names.

use super::form::{parse_object, same_name, to_object};
use super::{Config, ConfigError, Declared, Fields, Object};
use serde_json::{Value, json};
use std::sync::{PoisonError, RwLock};

/// One class of a family. `P` points to an object of the family, such as `Arc<dyn LossFunction>`.
#[derive(Debug)]
pub struct Entry<P> {
    class: &'static str,
    aliases: &'static [&'static str],
    keys: &'static [&'static str],
    read: fn(&mut Fields) -> Result<P, ConfigError>,
}

impl<P> Clone for Entry<P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P> Copy for Entry<P> {}

impl<P> Entry<P> {
    /// The class `T`; `read` takes its arguments.
    pub const fn of<T: Declared>(read: fn(&mut Fields) -> Result<P, ConfigError>) -> Self {
        Entry { class: T::CLASS, aliases: T::ALIASES, keys: T::KEYS, read }
    }

    /// Keras' class name.
    pub fn class_name(&self) -> &'static str {
        self.class
    }

    /// The keys that a configuration may have.
    pub fn keys(&self) -> &'static [&'static str] {
        self.keys
    }

    /// Makes an object of a configuration.
    ///
    /// # Errors
    /// [`ConfigError`] when an argument is wrong or, without a default, absent.
    pub fn read(&self, fields: &mut Fields) -> Result<P, ConfigError> {
        (self.read)(fields)
    }

    fn is_called(&self, name: &str) -> bool {
        same_name(name, self.class) || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    }
}

/// A family: those that come with this crate, and those that users register.
#[derive(Debug)]
pub struct Registry<P: 'static> {
    kind: &'static str,
    module: &'static str,
    own: &'static [Entry<P>],
    registered: RwLock<Vec<Entry<P>>>,
}

impl<P: 'static> Registry<P> {
    /// `kind` names an object in errors ("loss"), `module` is the one that Keras writes ("keras.losses").
    pub const fn new(kind: &'static str, module: &'static str, own: &'static [Entry<P>]) -> Self {
        Registry { kind, module, own, registered: RwLock::new(Vec::new()) }
    }

    /// Adds a class of a user, or replaces the one of that name. Those of this crate cannot be replaced.
    pub fn register(&self, entry: Entry<P>) {
        let mut registered = self.registered.write().unwrap_or_else(PoisonError::into_inner);
        registered.retain(|known| known.class != entry.class);
        registered.push(entry);
    }

    /// The class of that name, in any of Keras' spellings.
    pub fn find(&self, name: &str) -> Option<Entry<P>> {
        self.entries().into_iter().find(|entry| entry.is_called(name))
    }

    /// The class of that name.
    ///
    /// # Errors
    /// [`ConfigError::UnknownName`] lists those that there are.
    pub fn get(&self, name: &str) -> Result<Entry<P>, ConfigError> {
        self.find(name).ok_or_else(|| ConfigError::unknown_name(self.kind, name, self.names()))
    }

    /// All classes, those of users last.
    pub fn entries(&self) -> Vec<Entry<P>> {
        let registered = self.registered.read().unwrap_or_else(PoisonError::into_inner);
        self.own.iter().chain(registered.iter()).copied().collect()
    }

    /// The class names, those of users last.
    pub fn names(&self) -> Vec<&'static str> {
        self.entries().iter().map(|entry| entry.class).collect()
    }

    /// Splits any of the three forms of a configuration into the class and its arguments.
    ///
    /// # Errors
    /// [`ConfigError`] when it is none of the forms, or names an unknown class.
    pub fn open(&self, value: &Value) -> Result<(Entry<P>, Fields), ConfigError> {
        let (name, map) = parse_object(self.kind, value)?;
        let entry = self.get(&name)?;
        Ok((entry, Fields::new(entry.class, map)))
    }

    /// The Keras object of this class and config. Classes of users get the package `Custom`, as with Keras'
    /// `register_keras_serializable`.
    pub fn write(&self, object: &dyn Object, config: Config) -> Value {
        let class = object.class_name();
        let registered = self.registered.read().unwrap_or_else(PoisonError::into_inner);
        let mut value = to_object(self.module, class, config);
        if registered.iter().any(|entry| entry.class == class) {
            value["module"] = Value::Null;
            value["registered_name"] = json!(format!("Custom>{class}"));
        }
        value
    }
}

/// Lists the objects of a family, each with its file, and makes their registry.
#[macro_export]
macro_rules! objects {
    (
        $(#[$meta:meta])*
        $vis:vis static $family:ident: Registry<$pointer:ty> = ($kind:literal, $module:literal, $wrap:path);
        $($file:ident::$type:ident,)+
    ) => {
        $(mod $file;
        pub use $file::$type;)+

        /// The classes of this family alone, for a `use …::*`.
        pub mod classes {
            $(pub use super::$type;)+
        }

        $(#[$meta])*
        $vis static $family: $crate::object::Registry<$pointer> = $crate::object::Registry::new($kind, $module, &[
            $($crate::object::Entry::of::<$type>(|fields| Ok($wrap(<$type as $crate::object::Declared>::read(fields)?))),)+
        ]);
    };
}

/// Makes a pointer to any object of a family: `handle! { pub struct Initializer(dyn InitializerFunction) in INITIALIZERS, "an initializer" }`.
/// The trait of the family has a function `check`.
macro_rules! handle {
    ($(#[$meta:meta])* $vis:vis struct $type:ident(dyn $trait:path) in $registry:ident, $what:literal) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $vis struct $type(std::sync::Arc<dyn $trait>);

        impl<T: $trait> From<T> for $type {
            fn from(object: T) -> $type {
                $type(std::sync::Arc::new(object))
            }
        }

        impl PartialEq for $type {
            fn eq(&self, other: &$type) -> bool {
                self.0.same(&*other.0)
            }
        }

        impl $type {
            /// Makes one of your own known: files and recipes then find it by its class name.
            pub fn register<T: $trait + $crate::object::Declared>() {
                $registry.register($crate::object::Entry::of::<T>(|fields| Ok(std::sync::Arc::new(T::read(fields)?))));
            }

            /// The class names that `from_value` knows.
            pub fn known_names() -> Vec<&'static str> {
                $registry.names()
            }

            /// What it does.
            pub fn function(&self) -> &dyn $trait {
                &*self.0
            }

            /// The class name in Keras.
            pub fn class_name(&self) -> &'static str {
                self.0.class_name()
            }

            /// Reads any of the three forms of a configuration.
            ///
            /// # Errors
            /// [`ConfigError`](crate::object::ConfigError) for unknown names or keys and values out of range.
            pub fn from_value(value: &serde_json::Value) -> Result<$type, $crate::object::ConfigError> {
                let (entry, mut fields) = $registry.open(value)?;
                let object = entry.read(&mut fields)?;
                fields.finish()?;
                object.check()?;
                Ok($type(object))
            }

            /// The Keras object.
            pub fn to_value(&self) -> serde_json::Value {
                $registry.write(&*self.0, self.0.arguments())
            }
        }

        impl $crate::object::Argument for $type {
            fn expected() -> String {
                $what.into()
            }

            fn read(value: &serde_json::Value) -> Option<$type> {
                $type::from_value(value).ok()
            }

            fn write(&self) -> serde_json::Value {
                self.to_value()
            }

            fn refusal(value: &serde_json::Value) -> Option<$crate::object::ConfigError> {
                $type::from_value(value).err()
            }
        }
    };
}
pub(crate) use handle;
