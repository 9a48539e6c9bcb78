//! Losses, their gradients and the targets they compare with (keras/src/losses/losses.py).
//!
//! A loss of one row is a number; the loss of a batch is their mean (Keras' `sum_over_batch_size`), each row times its sample
//! weight. Where the model ends in the softmax or sigmoid that a cross-entropy undoes, both are computed from the logits.
//!
//! A loss is a file here and a line in the list below; a loss of your own implements [`LossFunction`] and is registered with
//! [`Loss::register`].

mod class_weights;
mod evaluate;
#[cfg(test)]
mod golden_tests;
mod mean;
mod probabilities;
mod target;

pub use class_weights::apply_class_weights;
pub(crate) use cosine_similarity::cosine;
pub use evaluate::LossBatch;
pub use target::{Labels, LossError, RowTarget, Source, Target};

use crate::object::{Config, ConfigError, Declared, Entry, Fields, Object, objects, serde_by_value};
use serde_json::{Value, json};
use std::sync::Arc;

objects! {
    /// All losses.
    pub(crate) static LOSSES: Registry<Arc<dyn LossFunction>> = ("loss", "keras.losses", Arc::new);
    sparse_categorical_crossentropy::SparseCategoricalCrossentropy,
    categorical_crossentropy::CategoricalCrossentropy,
    binary_crossentropy::BinaryCrossentropy,
    mean_squared_error::MeanSquaredError,
    mean_absolute_error::MeanAbsoluteError,
    huber::Huber,
    kl_divergence::KLDivergence,
    cosine_similarity::CosineSimilarity,
    poisson::Poisson,
    log_cosh::LogCosh,
    hinge::Hinge,
}

/// What a loss does. Its arguments are declared by [`keras_object!`](crate::keras_object).
pub trait LossFunction: Object {
    /// The loss of one row. Where `row.gradient` asks for it, writes the derivative with respect to the prediction, times `row.scale`.
    /// It must not depend on other rows and must not allocate.
    fn row(&self, row: Row<'_>) -> f32;

    /// How targets are given.
    fn labels(&self) -> Labels {
        Labels::Values
    }

    /// The operation at the end of a model that the loss undoes. If the model ends so, [`Row::logits`] is true, and the prediction is
    /// what goes into that operation.
    fn undoes(&self) -> Option<Source> {
        None
    }

    /// Whether rows of this class count neither in the sum nor in the mean.
    fn ignores(&self, label: i64) -> bool {
        let _ = label;
        false
    }

    /// Class name and name of Keras' metric that averages this loss; absent when Keras has no such metric.
    fn metric(&self) -> Option<(&'static str, &'static str)> {
        Some((self.class_name(), self.default_name()))
    }

    /// Arguments that the metric does not have.
    fn not_as_metric(&self) -> &'static [&'static str] {
        &[]
    }
}

/// One row of a batch.
#[derive(Debug)]
pub struct Row<'a> {
    /// The truth.
    pub truth: RowTarget<'a>,
    /// `[cols]`: what the model answers, or the logits of its last operation.
    pub prediction: &'a [f32],
    /// Whether the prediction is the logits of the operation that the loss undoes.
    pub logits: bool,
    /// `[cols]`: where the gradient goes, if anywhere.
    pub gradient: Option<&'a mut [f32]>,
    /// What the gradient is multiplied by.
    pub scale: f32,
}

/// A loss, whichever it is.
#[derive(Clone, Debug)]
pub struct Loss(Arc<dyn LossFunction>);

impl<L: LossFunction> From<L> for Loss {
    fn from(loss: L) -> Loss {
        Loss(Arc::new(loss))
    }
}

impl PartialEq for Loss {
    fn eq(&self, other: &Loss) -> bool {
        self.0.same(&*other.0)
    }
}

impl Loss {
    /// Makes a loss of your own known: files and recipes then find it by its class name.
    pub fn register<L: LossFunction + Declared>() {
        LOSSES.register(Entry::of::<L>(|fields| Ok(Arc::new(L::read(fields)?))));
    }

    /// With the defaults of all arguments; absent when one has none.
    pub(crate) fn of(entry: Entry<Arc<dyn LossFunction>>) -> Option<Loss> {
        Loss::from_entry(entry, &mut Fields::new(entry.class_name(), Config::new())).ok()
    }

    /// With the arguments of a configuration.
    pub(crate) fn from_entry(entry: Entry<Arc<dyn LossFunction>>, fields: &mut Fields) -> Result<Loss, ConfigError> {
        entry.read(fields).map(Loss)
    }

    /// The class names that [`Loss::from_value`] knows.
    pub fn known_names() -> Vec<&'static str> {
        LOSSES.names()
    }

    /// What it computes.
    pub fn function(&self) -> &dyn LossFunction {
        &*self.0
    }

    /// How targets are given.
    pub fn labels(&self) -> Labels {
        self.0.labels()
    }

    /// Whether targets are class numbers, where other losses compare whole rows.
    pub fn takes_classes(&self) -> bool {
        self.labels() == Labels::Classes
    }

    /// What to hand to [`Loss::evaluate`] when the model's last operation makes `last` available: `last` itself where this
    /// loss undoes that operation, else the output.
    pub fn source_for(&self, last: Source) -> Source {
        if self.0.undoes() == Some(last) { last } else { Source::Probabilities }
    }

    /// The class name in Keras.
    pub fn class_name(&self) -> &'static str {
        self.0.class_name()
    }

    /// The name Keras gives the object, such as `sparse_categorical_crossentropy`.
    pub fn name(&self) -> &'static str {
        self.0.default_name()
    }

    /// Checks the arguments.
    ///
    /// # Errors
    /// [`ConfigError::BadValue`] for the first that lies outside its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.0.check_arguments()
    }

    /// Reads any of the three forms of a configuration.
    ///
    /// # Errors
    /// [`ConfigError`] for unknown names or keys, values out of range, and a `reduction` other than the mean.
    pub fn from_value(value: &Value) -> Result<Loss, ConfigError> {
        let (entry, mut fields) = LOSSES.open(value)?;
        let loss = Loss::from_entry(entry, &mut fields)?;
        // "auto" is what Keras 2 wrote for the mean.
        fields.only("reduction", &[json!("sum_over_batch_size"), json!("mean"), json!("auto")])?;
        fields.ignore(&["name", "dtype"]);
        fields.finish()?;
        Ok(loss)
    }

    /// The Keras object.
    pub fn to_value(&self) -> Value {
        let mut config = Config::new();
        config.insert("name".into(), self.name().into());
        config.insert("reduction".into(), "sum_over_batch_size".into());
        config.append(&mut self.0.arguments());
        LOSSES.write(&*self.0, config)
    }
}

serde_by_value!(Loss);
