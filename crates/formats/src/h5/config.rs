//! A network as the JSON of `.h5` files: Keras 2's form, which Keras 3 and tf_keras read.

use serde_json::{Map, Value, json};

/// `model_config` from Keras 3's configuration of a network.
pub(super) fn from_keras_3(network: &Value) -> Value {
    let config = network.get("config").unwrap_or(&Value::Null);
    let layers: Vec<Value> = config.get("layers").and_then(Value::as_array).into_iter().flatten().map(layer).collect();
    let mut own = Map::new();
    own.insert("name".into(), config.get("name").cloned().unwrap_or_default());
    if config.get("trainable") == Some(&json!(false)) {
        own.insert("trainable".into(), json!(false));
    }
    own.insert("layers".into(), Value::Array(layers));
    for key in ["input_layers", "output_layers"] {
        if let Some(ends) = config.get(key) {
            own.insert(key.into(), ends.clone());
        }
    }
    json!({ "class_name": network.get("class_name"), "config": own })
}

fn layer(entry: &Value) -> Value {
    let class = entry.get("class_name").and_then(Value::as_str).unwrap_or_default();
    let mut config = Map::new();
    if entry.pointer("/config/layers").is_some() {
        return in_graph(entry, from_keras_3(entry));
    }
    for (key, value) in entry.get("config").and_then(Value::as_object).into_iter().flatten() {
        match (class, key.as_str()) {
            (_, "batch_shape") => config.insert("batch_input_shape".into(), value.clone()),
            (_, "dtype") => config.insert("dtype".into(), policy(value)),
            ("LeakyReLU", "negative_slope") => config.insert("alpha".into(), value.clone()),
            ("InputLayer", "trainable") => None,
            // Keras 2 knows one order only, and no key for it.
            ("RandomRotation" | "RandomTranslation" | "RandomZoom", "data_format") => None,
            _ => config.insert(key.clone(), plain(value)),
        };
    }
    in_graph(entry, json!({ "class_name": class, "config": config }))
}

/// A layer or a submodel with its place in a functional model.
fn in_graph(entry: &Value, mut own: Value) -> Value {
    if let Some(name) = entry.get("name") {
        own["name"] = name.clone();
        let calls = entry.get("inbound_nodes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        own["inbound_nodes"] = calls.iter().map(call).collect();
    }
    own
}

/// The name of a dtype policy.
fn policy(dtype: &Value) -> Value {
    dtype.pointer("/config/name").unwrap_or(dtype).clone()
}

/// A serialised object by class and config alone.
pub(super) fn plain(value: &Value) -> Value {
    match (value.get("class_name"), value.get("config")) {
        (Some(class), Some(config)) => json!({ "class_name": class, "config": config }),
        _ => value.clone(),
    }
}

/// An optimizer without what is as it would be without it: Keras 2's classes, which go by these names, do not know those keys.
/// Returns whether Keras 2 knows what is left.
///
/// tf_keras marks its newer classes `Custom>Adam`. Keras 3 takes that too, but passes over their configuration: the rate and all else
/// would silently be the defaults.
pub(super) fn portable(optimizer: &mut Value) -> bool {
    let class = optimizer.get("class_name").and_then(Value::as_str).unwrap_or_default().to_string();
    let Some(config) = optimizer.get_mut("config").and_then(Value::as_object_mut) else { return false };
    config.retain(|_, value| !value.is_null());
    if config.get("use_ema").is_some_and(|ema| *ema == json!(false)) {
        config.retain(|key, _| !matches!(key.as_str(), "use_ema" | "ema_momentum" | "ema_overwrite_frequency"));
    }
    let newer = ["weight_decay", "use_ema", "inner_optimizer"].iter().any(|key| config.contains_key(*key));
    !newer && !matches!(class.as_str(), "AdamW" | "Lion" | "Muon")
}

/// A layer's call: `[["conv2d", 0, 0, {}], …]`.
fn call(node: &Value) -> Value {
    let mut tensors = Vec::new();
    collect(node.get("args").unwrap_or(&Value::Null), &mut tensors);
    Value::Array(tensors)
}

fn collect(value: &Value, tensors: &mut Vec<Value>) {
    if let Some(list) = value.as_array() {
        list.iter().for_each(|inner| collect(inner, tensors));
    } else if let Some(history) = value.pointer("/config/keras_history").and_then(Value::as_array) {
        tensors.push(history.iter().cloned().chain([json!({})]).collect());
    }
}

/// Keys of Keras 1 and what became of them in Keras 2 (keras 2.2, `legacy/interfaces.py`).
const RENAMED: &[(&str, &str)] = &[
    ("nb_filter", "filters"),
    ("output_dim", "units"),
    ("p", "rate"),
    ("init", "kernel_initializer"),
    ("border_mode", "padding"),
    ("subsample", "strides"),
    ("bias", "use_bias"),
    ("W_regularizer", "kernel_regularizer"),
    ("b_regularizer", "bias_regularizer"),
    ("W_constraint", "kernel_constraint"),
    ("b_constraint", "bias_constraint"),
    ("beta_init", "beta_initializer"),
    ("gamma_init", "gamma_initializer"),
];

/// Makes of a configuration of Keras 1, or of Keras 2 before 2.2.3, what later releases wrote; others stay as they are.
///
/// # Errors
/// What such a configuration holds that has no later form.
pub(crate) fn modernise(network: &mut Value) -> Result<(), String> {
    if let Some(config @ Value::Array(_)) = network.get_mut("config") {
        // Sequential models were a bare list of layers.
        *config = json!({ "name": "sequential", "layers": config.take() });
    }
    for entry in network.pointer_mut("/config/layers").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(class) = entry.get("class_name").and_then(Value::as_str).map(str::to_string) else { continue };
        if matches!(class.as_str(), "Sequential" | "Model" | "Functional") {
            modernise(entry)?;
            continue;
        }
        if class == "Convolution2D" {
            entry["class_name"] = "Conv2D".into();
        }
        if let Some(config) = entry.get_mut("config").and_then(Value::as_object_mut) {
            modernise_layer(&class, config).map_err(|message| format!("{class}: {message}"))?;
        }
    }
    Ok(())
}

fn modernise_layer(class: &str, config: &mut Map<String, Value>) -> Result<(), String> {
    if let (Some(rows), Some(columns)) = (config.get("nb_row").cloned(), config.get("nb_col").cloned()) {
        config.insert("kernel_size".into(), json!([rows, columns]));
    }
    match config.shift_remove("dim_ordering").as_ref().and_then(Value::as_str) {
        None | Some("tf" | "default") => {}
        Some(other) => {
            return Err(format!(
                "dim_ordering \"{other}\" (Theano's) is not read; load the file with Keras 2 under the TensorFlow backend and save it again"
            ));
        }
    }
    if class == "BatchNormalization" && config.shift_remove("mode").is_some_and(|mode| mode != 0) {
        return Err("only mode 0 is read".into());
    }
    let renamed = RENAMED.iter().filter(|(old, _)| *old != "p" || class == "Dropout");
    for (old, new) in renamed {
        if let Some(value) = config.shift_remove(*old)
            && !config.contains_key(*new)
        {
            config.insert((*new).into(), value);
        }
    }
    for key in ["kernel_regularizer", "bias_regularizer", "gamma_regularizer", "beta_regularizer"] {
        // {"name": "WeightRegularizer", "l1": …, "l2": …}
        if let Some(old) = config.get(key).filter(|value| value.get("class_name").is_none() && value.get("l2").is_some()) {
            let new = json!({ "class_name": "L1L2", "config": { "l1": old.get("l1"), "l2": old.get("l2") } });
            config.insert(key.into(), new);
        }
    }
    Ok(())
}
