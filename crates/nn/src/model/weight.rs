//! The numbers of a model.

use crate::constraints::Constraint;
use crate::initializers::Initializer;
use crate::layers::WeightSpec;
use crate::optimizers::partition;
use crate::regularizers::Regularizer;
use maobi_kernels::memory::{Buffer, Ref, RefMut};
use std::sync::OnceLock;

/// One weight of a layer: its values and what training needs to know about it.
///
/// The initial values are drawn when they are first needed. Until then a weight is a shape without memory, so that a network whose
/// values come from a file takes no memory before the file has shown that it holds them.
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
    /// What training does to the values after each step.
    pub constraint: Option<Constraint>,
    /// Whether the optimizer changes it.
    pub trainable: bool,
    len: usize,
    initializer: Initializer,
    seed: u64,
    /// Whether the values lie in the parts that an optimizer works on.
    parted: bool,
    value: OnceLock<Buffer>,
}

impl Weight {
    /// A weight without memory. The caller has checked that the product of the axes does not overflow.
    pub(crate) fn new(layer: &str, layer_trains: bool, spec: &WeightSpec, seed: u64) -> Weight {
        Weight {
            path: format!("{layer}/{}", spec.name),
            name: spec.name,
            shape: spec.shape.clone(),
            regularizer: spec.regularizer.clone(),
            constraint: spec.constraint.clone(),
            trainable: spec.trainable && layer_trains,
            len: spec.shape.iter().product(),
            initializer: spec.initializer.clone(),
            seed,
            parted: false,
            value: OnceLock::new(),
        }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The values, row-major in the order of [`Weight::shape`].
    pub fn values(&self) -> Ref<'_> {
        self.buffer().whole()
    }

    /// The values, to change.
    pub fn values_mut(&mut self) -> RefMut<'_> {
        self.buffer().whole_mut()
    }

    /// Replaces all values. Does not draw initial values first, as [`Weight::values_mut`] does.
    ///
    /// # Panics
    /// When there are not [`Weight::len`] values.
    pub fn set_values(&mut self, values: &[f32]) {
        assert_eq!(values.len(), self.len, "the values of {}", self.path);
        self.value.get_or_init(|| self.empty()).whole_mut().copy_from_slice(values);
    }

    /// Whether the values have memory: they were set, drawn or read before.
    pub(crate) fn is_allocated(&self) -> bool {
        self.value.get().is_some()
    }

    /// The values as the executor and the optimizer borrow them.
    pub(crate) fn buffer(&self) -> &Buffer {
        self.value.get_or_init(|| {
            let buffer = self.empty();
            self.initializer.fill(&self.shape, self.seed, &mut buffer.whole_mut());
            buffer
        })
    }

    /// Lays the values out in the parts that an optimizer works on, from here on.
    pub(crate) fn part(&mut self) {
        self.parted = true;
        if let Some(buffer) = self.value.get_mut() {
            partition(buffer);
        }
    }

    fn empty(&self) -> Buffer {
        let mut buffer = Buffer::new(self.len);
        if self.parted {
            partition(&mut buffer);
        }
        buffer
    }
}
