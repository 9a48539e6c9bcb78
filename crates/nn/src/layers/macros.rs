//! The declaration of a layer.

/// Declares a layer: a [`keras_object!`](crate::keras_object) with what every layer has, its name, trainability and dtype policy.
///
/// ```
/// use maobi_nn::keras_layer;
/// use maobi_nn::layers::{Built, Layer, Shape};
///
/// keras_layer! {
///     /// Passes its input on.
///     pub struct Nothing("nothing") {}
/// }
///
/// impl Layer for Nothing {
///     fn build(&self, _: &[Shape]) -> Result<Built, String> {
///         Ok(Built::default())
///     }
/// }
/// assert_eq!(Nothing::new().name("mine").base.name.as_deref(), Some("mine"));
/// ```
#[macro_export]
macro_rules! keras_layer {
    (@base $type:ident) => {
        impl $crate::layers::HasBase for $type {
            fn base(&self) -> &$crate::layers::Base {
                &self.base
            }
            fn base_mut(&mut self) -> &mut $crate::layers::Base {
                &mut self.base
            }
            fn boxed(&self) -> Box<dyn $crate::layers::Layer> {
                Box::new(self.clone())
            }
        }

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
            pub fn dtype(mut self, policy: $crate::Precision) -> Self {
                self.base.precision = Some(policy);
                self
            }
        }
    };
    ($(#[$meta:meta])* $vis:vis struct $type:ident($($name:literal),+ $(,)?) $($rest:tt)*) => {
        $crate::keras_object! { $(#[$meta])* $vis struct $type($($name),+) with base: $crate::layers::Base, $($rest)* }
        $crate::keras_layer!(@base $type);
    };
}
