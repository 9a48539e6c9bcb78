//! Metrics: figures over an epoch, by Keras' names and formulas (keras/src/metrics).
//!
//! A [`Metric`] is configuration; a [`MetricState`] sums, in f64 and in row order, and answers.
//!
//! A metric is a file here and a line in the list below; a metric of your own implements [`MetricFunction`] and is registered with
//! [`Metric::register`]. Losses that Keras has as metrics are found too, among the losses.

mod calibration;
mod confusion;
mod counts;
#[cfg(test)]
mod golden_tests;
mod of_loss;
mod rows;
mod state;

pub use crate::arg_max::arg_max;
pub use auc::{Curve, Summation};
pub use calibration::Calibration;
pub use confusion::{ClassReport, ConfusionMatrix};
pub use counts::Threshold;
pub use f1_score::Average;
pub use of_loss::OfLoss;
pub use rows::Rows;
pub use state::MetricState;

use crate::losses::{LOSSES, Labels, Loss, LossError, LossFunction};
use crate::object::{Config, ConfigError, Declared, Entry, Fields, Object, objects, parse_object, same_name, serde_by_value};
use serde_json::Value;
use std::sync::Arc;

objects! {
    /// All metrics that are not losses.
    static METRICS: Registry<Arc<dyn MetricFunction>> = ("metric", "keras.metrics", Arc::new);
    accuracy::Accuracy,
    sparse_categorical_accuracy::SparseCategoricalAccuracy,
    categorical_accuracy::CategoricalAccuracy,
    binary_accuracy::BinaryAccuracy,
    sparse_top_k_categorical_accuracy::SparseTopKCategoricalAccuracy,
    top_k_categorical_accuracy::TopKCategoricalAccuracy,
    precision::Precision,
    recall::Recall,
    f1_score::F1Score,
    auc::AUC,
    cosine_similarity::CosineSimilarity,
}

/// What a metric does: it adds rows to some sums, and makes a figure of them. Its arguments are declared by
/// [`keras_object!`](crate::keras_object).
pub trait MetricFunction: Object {
    /// Number of sums, for predictions of `cols` columns. By default there are two, those of a mean.
    fn sums(&self, cols: usize) -> usize {
        let _ = cols;
        2
    }

    /// Adds rows, whose lengths were checked. Must not allocate.
    ///
    /// # Errors
    /// [`LossError`] when a label is no class.
    fn add(&self, sums: &mut [f64], rows: &Rows<'_>) -> Result<(), LossError>;

    /// The figure, 0 before the first row. By default the first sum divided by the second.
    fn result(&self, sums: &[f64]) -> f64 {
        match sums {
            [total, count] if *count != 0.0 => total / count,
            _ => 0.0,
        }
    }

    /// The figures of the columns where the metric has them, else the figure alone.
    fn results(&self, sums: &[f64]) -> Vec<f64> {
        vec![self.result(sums)]
    }

    /// How targets are given.
    fn labels(&self, rows: &Rows<'_>) -> Labels {
        let _ = rows;
        Labels::Values
    }

    /// Whether larger is better: for callbacks that watch it.
    fn larger_is_better(&self) -> bool {
        true
    }

    /// The metric that this one stands for beside a loss and an output of `cols` columns; only "accuracy" stands for others.
    fn for_loss(&self, loss: &Loss, cols: usize) -> Option<Metric> {
        let _ = (loss, cols);
        None
    }

    /// Whether files hold the name alone, because the loss decides what it is.
    fn is_word(&self) -> bool {
        false
    }
}

/// A metric, whichever it is, and the name it is printed under.
#[derive(Clone, Debug)]
pub struct Metric {
    function: Arc<dyn MetricFunction>,
    /// The name in logs; absent means Keras' default.
    name: Option<String>,
}

impl<M: MetricFunction> From<M> for Metric {
    fn from(metric: M) -> Metric {
        Metric { function: Arc::new(metric), name: None }
    }
}

impl From<Loss> for Metric {
    fn from(loss: Loss) -> Metric {
        OfLoss(loss).into()
    }
}

impl PartialEq for Metric {
    fn eq(&self, other: &Metric) -> bool {
        self.function.same(&*other.function) && self.name == other.name
    }
}

impl Metric {
    /// "accuracy", which becomes what fits the loss.
    pub fn accuracy() -> Metric {
        Accuracy::new().into()
    }

    /// Makes a metric of your own known: files and recipes then find it by its class name.
    pub fn register<M: MetricFunction + Declared>() {
        METRICS.register(Entry::of::<M>(|fields| Ok(Arc::new(M::read(fields)?))));
    }

    /// The names that [`Metric::from_value`] knows.
    pub fn known_names() -> Vec<&'static str> {
        let losses = LOSSES.entries();
        let mut names = METRICS.names();
        names.extend(losses.into_iter().filter_map(|entry| Some(Loss::of(entry)?.function().metric()?.0)));
        names
    }

    /// What it measures.
    pub fn function(&self) -> &dyn MetricFunction {
        &*self.function
    }

    /// The same under another name.
    pub fn named(mut self, name: &str) -> Metric {
        self.name = Some(name.into());
        self
    }

    /// The name in logs.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.function.default_name())
    }

    /// "accuracy" as the metric that fits (Keras' `get_metric`): binary for one column, sparse for a loss over classes, else
    /// categorical. The printed name stays. Other metrics are returned as they are.
    pub fn resolve(&self, loss: &Loss, cols: usize) -> Metric {
        match self.function.for_loss(loss, cols) {
            Some(metric) => metric.named(self.name()),
            None => self.clone(),
        }
    }

    /// Whether larger is better: for callbacks that watch it.
    pub fn larger_is_better(&self) -> bool {
        self.function.larger_is_better()
    }

    /// Reads any of the three forms of a configuration. A plain string is also the name in logs, as in Keras ("acc", "mse").
    ///
    /// # Errors
    /// [`ConfigError`] for unknown names or keys and values out of range.
    pub fn from_value(value: &Value) -> Result<Metric, ConfigError> {
        let (name, map) = parse_object("metric", value)?;
        let (function, mut fields): (Arc<dyn MetricFunction>, _) = match (METRICS.find(&name), as_loss(&name)) {
            (Some(entry), _) => {
                let mut fields = Fields::new(entry.class_name(), map);
                (entry.read(&mut fields)?, fields)
            }
            (None, Some(entry)) => {
                let mut fields = Fields::new(entry.class_name(), map);
                (Arc::new(OfLoss(Loss::from_entry(entry, &mut fields)?)), fields)
            }
            (None, None) => return Err(ConfigError::unknown_name("metric", &name, Metric::known_names())),
        };
        let given = fields.argument("name", None::<String>)?;
        fields.ignore(&["dtype"]);
        fields.finish()?;
        // A name that is the default says nothing.
        let printed = given.or_else(|| value.is_string().then_some(name));
        Ok(Metric { name: printed.filter(|name| name != function.default_name()), function })
    }

    /// "accuracy" as a string, others as the Keras object.
    pub fn to_value(&self) -> Value {
        if self.function.is_word() {
            return self.name().into();
        }
        let mut config = Config::new();
        config.insert("name".into(), self.name().into());
        config.append(&mut self.function.arguments());
        METRICS.write(&*self.function, config)
    }
}

serde_by_value!(Metric);

/// The loss that a name of a metric means, if Keras has such a metric: by its own names ("mse") or by that of the metric.
fn as_loss(name: &str) -> Option<Entry<Arc<dyn LossFunction>>> {
    let metric = |entry: &Entry<_>| Loss::of(*entry).and_then(|loss| loss.function().metric());
    let by_metric = || LOSSES.entries().into_iter().find(|entry| metric(entry).is_some_and(|(class, _)| same_name(name, class)));
    LOSSES.find(name).filter(|entry| metric(entry).is_some()).or_else(by_metric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::losses::{BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy};
    use serde_json::json;

    #[test]
    fn accuracy_resolves_as_in_keras() {
        let class = |loss: Loss, cols| Metric::accuracy().resolve(&loss, cols).function().class_name();
        assert_eq!(class(SparseCategoricalCrossentropy::new().into(), 10), "SparseCategoricalAccuracy");
        assert_eq!(class(CategoricalCrossentropy::new().into(), 10), "CategoricalAccuracy");
        assert_eq!(class(BinaryCrossentropy::new().into(), 1), "BinaryAccuracy");
        let resolved = Metric::accuracy().resolve(&CategoricalCrossentropy::new().into(), 10);
        assert_eq!(resolved.name(), "accuracy");
    }
    #[test]
    fn every_metric_round_trips() {
        for name in Metric::known_names() {
            let metric = Metric::from_value(&json!({"type": name})).unwrap();
            assert_eq!(Metric::from_value(&metric.to_value()).unwrap(), metric, "{name}");
            let text = serde_json::to_string(&metric).unwrap();
            assert_eq!(serde_json::from_str::<Metric>(&text).unwrap(), metric);
            assert_eq!(Metric::from_value(&json!(metric.name())).unwrap(), metric);
        }
    }

    #[test]
    fn strings_are_printed_as_given() {
        for name in ["accuracy", "acc", "mse", "sparse_categorical_accuracy", "AUC"] {
            assert_eq!(Metric::from_value(&json!(name)).unwrap().name(), name);
        }
        let named = json!({"class_name": "AUC", "config": {"name": "area", "curve": "PR", "dtype": "float32"}});
        let metric = Metric::from_value(&named).unwrap();
        assert_eq!(metric.name(), "area");
        assert_eq!(metric, Metric::from(AUC::new().curve(Curve::Pr)).named("area"));
    }

    #[test]
    fn errors_say_what_is_known() {
        let error = Metric::from_value(&json!("acuracy")).unwrap_err().to_string();
        assert!(
            error.starts_with(
                "unknown metric \"acuracy\" (did you mean \"Accuracy\"?); known: Accuracy, SparseCategoricalAccuracy,"
            ),
            "{error}"
        );
        assert_eq!(
            Metric::from_value(&json!({"type": "F1Score", "average": "mean"})).unwrap_err().to_string(),
            "F1Score: average must be one of micro, macro, weighted, got \"mean\""
        );
        assert_eq!(
            Metric::from_value(&json!({"type": "Precision", "thresholds": [0.1, 0.2]})).unwrap_err().to_string(),
            "Precision: thresholds must be one number from 0 to 1, got [0.1,0.2]"
        );
    }
}
