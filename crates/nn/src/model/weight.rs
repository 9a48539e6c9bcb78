//! The numbers of a model.

use crate::layers::WeightSpec;
use crate::regularizers::Regularizer;
use maobi_kernels::memory::{Buffer, Ref, RefMut};

/// One weight of a layer: its values and what training needs to know about it.
#[derive(Debug)]
pub struct Weight {
    /// `layer/name`, e.g. `conv2d/kernel`; unique in a model.
    pub path: String,
    /// Name within the layer, e.g. `kernel`.
    pub name: &'static str,
    /// Axis lengths.
    pub shape: Vec<usize>,
    /// Penalty on the values.
    pub regularizer: Option<Regularizer>,
    /// Whether the optimizer changes it.
    pub trainable: bool,
    pub(crate) value: Buffer,
}

impl Weight {
    pub(crate) fn new(layer: &str, layer_trains: bool, spec: &WeightSpec, seed: u64) -> Weight {
        let mut value = Buffer::new(spec.shape.iter().product());
        spec.initializer.fill(&spec.shape, seed, value.get_mut());
        Weight {
            path: format!("{layer}/{}", spec.name),
            name: spec.name,
            shape: spec.shape.clone(),
            regularizer: spec.regularizer,
            trainable: spec.trainable && layer_trains,
            value,
        }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.value.len()
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.value.is_empty()
    }

    /// The values, row-major in the order of [`Weight::shape`].
    pub fn values(&self) -> Ref<'_> {
        self.value.whole()
    }

    /// The values, to change.
    pub fn values_mut(&mut self) -> RefMut<'_> {
        self.value.whole_mut()
    }
}
