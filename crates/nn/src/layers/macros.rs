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
        }
    };
}

/// Builder methods that set one field: `setter!(strides: Pair, "Step of the window.")`.
macro_rules! setters {
    ($($(#[$doc:meta])* $field:ident: $type:ty),+ $(,)?) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $field(mut self, $field: impl Into<$type>) -> Self {
                self.$field = $field.into();
                self
            }
        )+
    };
}
