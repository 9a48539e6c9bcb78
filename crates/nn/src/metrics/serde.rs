//! Metrics as configuration.

use serde_json::{Map, Value, json};

use super::{Auc, Average, Curve, Metric, MetricKind, Positives, Summation};
use crate::losses::Loss;
use crate::serial::{ConfigError, Fields, number, parse_object, same_name, serde_by_value, to_object};

/// Class names; the losses follow those that are metrics only.
const CLASSES: [&str; 15] = [
    "SparseCategoricalAccuracy",
    "CategoricalAccuracy",
    "BinaryAccuracy",
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "Precision",
    "Recall",
    "F1Score",
    "AUC",
    "SparseCategoricalCrossentropy",
    "CategoricalCrossentropy",
    "BinaryCrossentropy",
    "MeanSquaredError",
    "MeanAbsoluteError",
    "KLDivergence",
];

impl Metric {
    /// The names that [`Metric::from_value`] knows: "accuracy" and the class names.
    pub fn known_names() -> impl Iterator<Item = &'static str> {
        std::iter::once("accuracy").chain(CLASSES)
    }

    /// Reads any of the three forms of [`crate::serial`]. A plain string is also the name in logs, as in Keras ("acc", "mse").
    ///
    /// # Errors
    /// [`ConfigError`] for unknown names or keys and values out of range.
    pub fn from_value(value: &Value) -> Result<Metric, ConfigError> {
        let (name, map) = parse_object("metric", value)?;
        let class = if matches!(name.to_lowercase().as_str(), "accuracy" | "acc") {
            "accuracy"
        } else {
            CLASSES
                .into_iter()
                .find(|class| same_name(&name, class))
                // The short names of losses: "mse", "kld", …
                .or_else(|| Loss::class_of(&name).filter(|class| CLASSES.contains(class)))
                .ok_or_else(|| ConfigError::unknown_name("metric", &name, Metric::known_names()))?
        };
        let mut fields = Fields::new(class, map);
        let kind = read(class, &mut fields)?;
        let given = fields.opt_string("name")?;
        fields.ignore(&["dtype"]);
        fields.finish()?;
        // A name that is the default says nothing.
        let printed = given.or_else(|| value.is_string().then_some(name));
        Ok(Metric { name: printed.filter(|name| name != kind.default_name()), kind })
    }

    /// "accuracy" as a string, others as the Keras object.
    pub fn to_value(&self) -> Value {
        if self.kind == MetricKind::Accuracy {
            return self.name().into();
        }
        let mut config = Map::new();
        config.insert("name".into(), self.name().into());
        match &self.kind {
            MetricKind::Accuracy | MetricKind::SparseCategoricalAccuracy | MetricKind::CategoricalAccuracy => {}
            MetricKind::BinaryAccuracy { threshold } => {
                config.insert("threshold".into(), number(*threshold));
            }
            MetricKind::SparseTopKCategoricalAccuracy { k } | MetricKind::TopKCategoricalAccuracy { k } => {
                config.insert("k".into(), (*k).into());
            }
            MetricKind::Precision(positives) | MetricKind::Recall(positives) => {
                config.insert("thresholds".into(), positives.threshold.map_or(Value::Null, number));
                config.insert("top_k".into(), positives.top_k.map_or(Value::Null, Value::from));
                config.insert("class_id".into(), positives.class_id.map_or(Value::Null, Value::from));
            }
            MetricKind::F1Score { average, threshold } => {
                config.insert("average".into(), average.map_or(Value::Null, |average| average.name().into()));
                config.insert("threshold".into(), threshold.map_or(Value::Null, number));
            }
            MetricKind::Auc(auc) => {
                config.insert("num_thresholds".into(), auc.num_thresholds.into());
                config.insert("curve".into(), auc.curve.name().into());
                config.insert("summation_method".into(), auc.summation.name().into());
                config.insert("from_logits".into(), auc.from_logits.into());
            }
            MetricKind::Loss(loss) => {
                loss.write(&mut config);
                // The metric of that name never had it.
                config.shift_remove("ignore_class");
            }
        }
        to_object("keras.metrics", self.kind.class_name(), config)
    }
}

serde_by_value!(Metric);

impl MetricKind {
    /// The class name in Keras; "accuracy" has none of its own.
    pub fn class_name(&self) -> &'static str {
        match self {
            MetricKind::Accuracy => "accuracy",
            MetricKind::SparseCategoricalAccuracy => "SparseCategoricalAccuracy",
            MetricKind::CategoricalAccuracy => "CategoricalAccuracy",
            MetricKind::BinaryAccuracy { .. } => "BinaryAccuracy",
            MetricKind::SparseTopKCategoricalAccuracy { .. } => "SparseTopKCategoricalAccuracy",
            MetricKind::TopKCategoricalAccuracy { .. } => "TopKCategoricalAccuracy",
            MetricKind::Precision(_) => "Precision",
            MetricKind::Recall(_) => "Recall",
            MetricKind::F1Score { .. } => "F1Score",
            MetricKind::Auc(_) => "AUC",
            MetricKind::Loss(loss) => loss.class_name(),
        }
    }

    /// The name Keras prints when none is given.
    pub fn default_name(&self) -> &'static str {
        match self {
            MetricKind::Accuracy => "accuracy",
            MetricKind::SparseCategoricalAccuracy => "sparse_categorical_accuracy",
            MetricKind::CategoricalAccuracy => "categorical_accuracy",
            MetricKind::BinaryAccuracy { .. } => "binary_accuracy",
            MetricKind::SparseTopKCategoricalAccuracy { .. } => "sparse_top_k_categorical_accuracy",
            MetricKind::TopKCategoricalAccuracy { .. } => "top_k_categorical_accuracy",
            MetricKind::Precision(_) => "precision",
            MetricKind::Recall(_) => "recall",
            MetricKind::F1Score { .. } => "f1_score",
            MetricKind::Auc(_) => "auc",
            MetricKind::Loss(loss) => loss.name(),
        }
    }
}

impl Average {
    fn name(self) -> &'static str {
        match self {
            Average::Micro => "micro",
            Average::Macro => "macro",
            Average::Weighted => "weighted",
        }
    }
}

impl Curve {
    fn name(self) -> &'static str {
        match self {
            Curve::Roc => "ROC",
            Curve::Pr => "PR",
        }
    }
}

impl Summation {
    fn name(self) -> &'static str {
        match self {
            Summation::Interpolation => "interpolation",
            Summation::Minoring => "minoring",
            Summation::Majoring => "majoring",
        }
    }
}

fn read(class: &'static str, fields: &mut Fields) -> Result<MetricKind, ConfigError> {
    Ok(match class {
        "accuracy" => MetricKind::Accuracy,
        "SparseCategoricalAccuracy" => MetricKind::SparseCategoricalAccuracy,
        "CategoricalAccuracy" => MetricKind::CategoricalAccuracy,
        "BinaryAccuracy" => MetricKind::BinaryAccuracy { threshold: fields.f32_or("threshold", 0.5)? },
        "SparseTopKCategoricalAccuracy" => {
            fields.only("from_sorted_ids", &[json!(false)])?;
            MetricKind::SparseTopKCategoricalAccuracy { k: fields.u64_or("k", 5)? as usize }
        }
        "TopKCategoricalAccuracy" => MetricKind::TopKCategoricalAccuracy { k: fields.u64_or("k", 5)? as usize },
        "Precision" => MetricKind::Precision(read_positives(fields)?),
        "Recall" => MetricKind::Recall(read_positives(fields)?),
        "F1Score" => {
            let average = choose(
                fields,
                "average",
                [("micro", Average::Micro), ("macro", Average::Macro), ("weighted", Average::Weighted)],
            )?;
            let threshold = fields.opt_f64("threshold")?;
            if let Some(threshold) = threshold
                && !(threshold > 0.0 && threshold <= 1.0)
            {
                return Err(ConfigError::bad_value(class, "threshold", "above 0 and at most 1", threshold));
            }
            MetricKind::F1Score { average, threshold: threshold.map(|threshold| threshold as f32) }
        }
        "AUC" => {
            let num_thresholds = fields.u64_or("num_thresholds", 200)?;
            // A million counts more than any curve shows, and bounds the memory a file can ask for.
            if !(2..=1_000_000).contains(&num_thresholds) {
                return Err(ConfigError::bad_value(class, "num_thresholds", "from 2 to 1000000", num_thresholds));
            }
            let curve =
                choose(fields, "curve", [("ROC", Curve::Roc), ("PR", Curve::Pr), ("roc", Curve::Roc), ("pr", Curve::Pr)])?;
            let summation = choose(
                fields,
                "summation_method",
                [
                    ("interpolation", Summation::Interpolation),
                    ("minoring", Summation::Minoring),
                    ("majoring", Summation::Majoring),
                ],
            )?;
            let from_logits = fields.bool_or("from_logits", false)?;
            fields.only("thresholds", &[])?;
            fields.only("multi_label", &[json!(false)])?;
            fields.only("num_labels", &[])?;
            fields.only("label_weights", &[])?;
            MetricKind::Auc(Auc {
                num_thresholds: num_thresholds as usize,
                curve: curve.unwrap_or(Curve::Roc),
                summation: summation.unwrap_or(Summation::Interpolation),
                from_logits,
            })
        }
        _ => {
            let loss = Loss::read(class, fields)?;
            loss.check_config()?;
            MetricKind::Loss(loss)
        }
    })
}

fn read_positives(fields: &mut Fields) -> Result<Positives, ConfigError> {
    let threshold = match fields.take("thresholds") {
        None => None,
        Some(value) => {
            // Several thresholds would give several figures.
            let single = match value.as_array().map(Vec::as_slice) {
                Some([single]) => single.as_f64(),
                Some(_) => None,
                None => value.as_f64(),
            };
            match single {
                Some(threshold) if (0.0..=1.0).contains(&threshold) => Some(threshold as f32),
                _ => return Err(fields.bad("thresholds", "one number from 0 to 1", &value)),
            }
        }
    };
    let top_k = fields.opt_u64("top_k")?.map(|k| k as usize);
    let class_id = fields.opt_u64("class_id")?.map(|class| class as usize);
    Ok(Positives { threshold, top_k, class_id })
}

/// One of several words, or nothing.
fn choose<T: Copy, const N: usize>(
    fields: &mut Fields,
    key: &'static str,
    words: [(&str, T); N],
) -> Result<Option<T>, ConfigError> {
    let Some(given) = fields.opt_string(key)? else { return Ok(None) };
    match words.iter().find(|(word, _)| *word == given) {
        Some((_, meaning)) => Ok(Some(*meaning)),
        None => {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            Err(fields.bad(key, &format!("one of {}", known.join(", ")), &given.into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(metric.kind, MetricKind::Auc(Auc { curve: Curve::Pr, ..Auc::default() }));
    }

    #[test]
    fn errors_say_what_is_known() {
        let error = Metric::from_value(&json!("acuracy")).unwrap_err().to_string();
        assert!(error.starts_with("unknown metric \"acuracy\"; known: accuracy, SparseCategoricalAccuracy,"), "{error}");
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
