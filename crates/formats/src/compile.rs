//! `compile_config`: optimizer, losses and metrics as Keras writes them (keras/src/trainers/trainer.py, `get_compile_config`).

use maobi_nn::losses::Loss;
use maobi_nn::metrics::Metric;
use maobi_nn::optimizers::Optimizer;
use maobi_nn::{Compile, Model};
use serde_json::{Value, json};

/// Keras' `compile_config`. With several outputs, losses and metrics are lists in the order of the outputs.
pub(crate) fn to_value(how: &Compile, outputs: &[&str]) -> Value {
    let several = outputs.len() > 1;
    let losses: Vec<Value> = how.losses.iter().map(Loss::to_value).collect();
    let loss = if several { Value::Array(losses) } else { losses.into_iter().next().unwrap_or(Value::Null) };
    let weights = if how.loss_weights.is_empty() { Value::Null } else { json!(how.loss_weights) };
    let list = |metrics: &[Metric]| Value::Array(metrics.iter().map(Metric::to_value).collect());
    let metrics = match (how.metrics.as_slice(), several) {
        ([], _) => Value::Null,
        (lists, true) => Value::Array(lists.iter().map(|m| list(m)).collect()),
        ([metrics, ..], false) => list(metrics),
    };
    json!({
        "optimizer": how.optimizer.to_value(),
        "loss": loss,
        "loss_weights": weights,
        "metrics": metrics,
        "weighted_metrics": null,
        "run_eagerly": false,
        "steps_per_execution": 1,
        "jit_compile": false,
    })
}

/// Whether there is anything to compile with: Keras also writes the configuration of models that never were compiled.
fn is_compiled(value: &Value) -> bool {
    ["optimizer", "loss"].iter().any(|key| value.get(key).is_some_and(|v| !v.is_null()))
}

/// The class of a serialized optimizer, by our name for it; of the inner one where the loss is scaled.
pub(crate) fn optimizer_class(value: &Value) -> Option<&'static str> {
    let value = value.pointer("/config/inner_optimizer").unwrap_or(value);
    let name = value.as_str().or_else(|| value.get("class_name")?.as_str())?;
    Optimizer::class_named(name)
}

/// The learning rate of the optimizer in a model's config, within the object that scales the loss where there is one.
pub(crate) fn learning_rate_mut(config: &mut Value) -> Option<&mut Value> {
    learning_rate_of_mut(config.pointer_mut("/compile_config/optimizer")?)
}

/// The learning rate of a serialized optimizer.
pub(crate) fn learning_rate_of_mut(optimizer: &mut Value) -> Option<&mut Value> {
    let optimizer = optimizer.get_mut("config")?;
    let inner = optimizer.get("inner_optimizer").is_some();
    let own = if inner { optimizer.pointer_mut("/inner_optimizer/config")? } else { optimizer };
    own.get_mut("learning_rate")
}

/// Compiles a model as a file says, or notes why not. Nothing to compile with is no reason for a note. Without `slots` the model is to
/// predict and evaluate only.
pub(crate) fn restore(model: &mut Model, value: &Value, slots: bool, notes: &mut Vec<String>) {
    if !is_compiled(value) {
        return;
    }
    match from_value(value, model, notes) {
        Ok(how) => {
            if let Err(error) = model.compile(how) {
                notes.push(format!("not compiled: {error}"));
            }
            if let Some(state) = model.optimizer_state_mut().filter(|_| !slots) {
                state.leave_out_slots();
            }
        }
        Err(reason) => notes.push(format!("not compiled: {reason}")),
    }
}

/// Reads how a model was compiled. Metrics that are not known are left out with a note; an unknown optimizer or loss is a reason
/// not to compile.
fn from_value(value: &Value, model: &Model, notes: &mut Vec<String>) -> Result<Compile, String> {
    let outputs = model.output_names();
    let optimizer = value.get("optimizer").filter(|v| !v.is_null()).ok_or("the file names no optimizer")?;
    let optimizer = Optimizer::from_value(&registered(optimizer)).map_err(|e| e.to_string())?;
    let loss = value.get("loss").filter(|v| !v.is_null()).ok_or("the file names no loss")?;
    let losses = per_output(loss, &outputs, "loss")?;
    let losses = losses.into_iter().map(|loss| match loss {
        Some(loss) => Loss::from_value(loss).map_err(|e| e.to_string()),
        None => Err("an output without a loss".into()),
    });
    let losses = losses.collect::<Result<Vec<_>, String>>()?;
    let loss_weights = match value.get("loss_weights").filter(|v| !v.is_null()) {
        None => Vec::new(),
        Some(weights) => per_output(weights, &outputs, "loss_weights")?
            .into_iter()
            .map(|w| {
                w.map_or(Ok(1.0), |w| {
                    w.as_f64().map(|w| w as f32).ok_or_else(|| format!("loss_weights: expected numbers, got {w}"))
                })
            })
            .collect::<Result<_, String>>()?,
    };
    let mut metrics = vec![Vec::new(); outputs.len()];
    for key in ["metrics", "weighted_metrics"] {
        let Some(value) = value.get(key).filter(|v| !v.is_null()) else { continue };
        if key == "weighted_metrics" && value.as_array().is_none_or(|list| !list.is_empty()) {
            notes.push("weighted_metrics are not known here and were left out".into());
            continue;
        }
        for (list, own) in metric_lists(value, &outputs).into_iter().zip(&mut metrics) {
            for metric in list {
                match Metric::from_value(&unwrapped(metric)) {
                    Ok(metric) => own.push(metric),
                    Err(error) => notes.push(format!("a metric was left out: {error}")),
                }
            }
        }
    }
    if metrics.iter().all(Vec::is_empty) {
        metrics.clear();
    }
    Ok(Compile { optimizer, losses, loss_weights, metrics })
}

/// An optimizer without the mark `Custom>` that tf_keras puts before its own class.
fn registered(optimizer: &Value) -> Value {
    let mut own = optimizer.clone();
    if let Some(class) = own.get("class_name").and_then(Value::as_str).and_then(|class| class.strip_prefix("Custom>")) {
        own["class_name"] = class.to_string().into();
    }
    own
}

/// A metric, out of the wrapper in which Keras 2 keeps functions: `{"class_name": "MeanMetricWrapper", "config": {"name", "fn"}}`.
fn unwrapped(metric: &Value) -> Value {
    let function = metric.pointer("/config/fn").filter(|_| metric.get("class_name").is_some_and(|c| c == "MeanMetricWrapper"));
    // The function is a name, or an object around one.
    let name = function.and_then(|f| f.as_str().or_else(|| f.get("config")?.as_str()));
    match name {
        Some(name) => json!({ "class_name": name, "config": { "name": metric.pointer("/config/name") } }),
        None => metric.clone(),
    }
}

/// One value per output, from a single value, a list, or an object by output name.
fn per_output<'a>(value: &'a Value, outputs: &[&str], key: &str) -> Result<Vec<Option<&'a Value>>, String> {
    let count = outputs.len();
    match value {
        Value::Array(list) if list.len() == count => Ok(list.iter().map(|v| Some(v).filter(|v| !v.is_null())).collect()),
        Value::Array(list) => Err(format!("{key}: expected {count} (one per output), got {}", list.len())),
        Value::Object(map) if !map.contains_key("class_name") => {
            if let Some(unknown) = map.keys().find(|name| !outputs.contains(&name.as_str())) {
                return Err(format!("{key} names \"{unknown}\", which is not an output; outputs: {}", outputs.join(", ")));
            }
            Ok(outputs.iter().map(|name| map.get(*name).filter(|v| !v.is_null())).collect())
        }
        one => Ok(vec![Some(one); count]),
    }
}

/// The metrics of each output: from one list for all, a list of lists, or an object by output name.
fn metric_lists<'a>(value: &'a Value, outputs: &[&str]) -> Vec<Vec<&'a Value>> {
    let flat = |value: &'a Value| match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.iter().filter(|v| !v.is_null()).collect(),
        one => vec![one],
    };
    match value {
        Value::Object(map) if !map.contains_key("class_name") => {
            outputs.iter().map(|name| map.get(*name).map_or(Vec::new(), flat)).collect()
        }
        // As in Keras: a list as long as the outputs has one entry for each of them.
        Value::Array(list) if outputs.len() > 1 && list.len() == outputs.len() => list.iter().map(flat).collect(),
        // Keras 2 nests the only output's too.
        Value::Array(list) if list.len() == 1 && outputs.len() == 1 && list[0].is_array() => vec![flat(&list[0])],
        other => vec![flat(other); outputs.len()],
    }
}
