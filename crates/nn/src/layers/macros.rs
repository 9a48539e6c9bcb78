//! What every layer's `impl Layer` repeats.

/// Implements the accessors of [`Layer`](crate::layers::Layer) for a type with a `base` field that serialises to Keras' config,
/// and the builder methods `name` and `trainable`.
macro_rules! layer_boilerplate {
    ($class:literal) => {
        fn class_name(&self) -> &'static str {
            $class
        }
        fn base(&self) -> &crate::layers::Base {
            &self.base
        }
        fn base_mut(&mut self) -> &mut crate::layers::Base {
            &mut self.base
        }
        fn config(&self) -> serde_json::Map<String, serde_json::Value> {
            match serde_json::to_value(self) {
                Ok(serde_json::Value::Object(map)) => map,
                _ => serde_json::Map::new(),
            }
        }
        fn as_any(&self) -> &dyn std::any::Any {
            self
        }
    };
}

/// The builder methods that every layer offers.
macro_rules! layer_builder {
    ($type:ty) => {
        impl $type {
            /// Names the layer; names are unique in a model.
            #[must_use]
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.base.name = Some(name.into());
                self
            }
            /// Whether training changes the weights.
            #[must_use]
            pub fn trainable(mut self, trainable: bool) -> Self {
                self.base.trainable = trainable;
                self
            }
            /// The layer's own dtype policy, whatever the model's is.
            #[must_use]
            pub fn dtype(mut self, policy: crate::Precision) -> Self {
                self.base.precision = Some(policy);
                self
            }
        }
    };
}

/// Builder methods that set one field each: `setters! { /// Step of the window. strides: Pair, }`. An `Option<T>` takes a `T` and is
/// absent until then; whole numbers are taken as they are, so that a plain `2` will do; anything else is what goes `into` the type.
macro_rules! setters {
    () => {};
    ($(#[$doc:meta])* $field:ident: Option<u64>, $($rest:tt)*) => {
        setters! { @one $(#[$doc])* $field: u64, Some($field) }
        setters! { $($rest)* }
    };
    ($(#[$doc:meta])* $field:ident: Option<$type:ty>, $($rest:tt)*) => {
        setters! { @one $(#[$doc])* $field: impl Into<$type>, Some($field.into()) }
        setters! { $($rest)* }
    };
    ($(#[$doc:meta])* $field:ident: usize, $($rest:tt)*) => {
        setters! { @one $(#[$doc])* $field: usize, $field }
        setters! { $($rest)* }
    };
    ($(#[$doc:meta])* $field:ident: $type:ty, $($rest:tt)*) => {
        setters! { @one $(#[$doc])* $field: impl Into<$type>, $field.into() }
        setters! { $($rest)* }
    };
    (@one $(#[$doc:meta])* $field:ident: $given:ty, $value:expr) => {
        $(#[$doc])*
        #[must_use]
        pub fn $field(mut self, $field: $given) -> Self {
            self.$field = $value;
            self
        }
    };
}

/// The setters that all convolutions share.
macro_rules! convolution_setters {
    () => {
        setters! {
            /// Step of the window; 1 by default.
            strides: Pair,
            /// Valid or same; valid by default.
            padding: Padding,
            /// Distance of the window's taps; 1 by default.
            dilation_rate: Pair,
            /// Applied to the output; `"linear"` by default.
            activation: Activation,
            /// Whether a bias is added; true by default.
            use_bias: bool,
            /// Initial bias; zeros by default.
            bias_initializer: Initializer,
            /// Penalty on the bias.
            bias_regularizer: Option<Regularizer>,
        }
    };
}
