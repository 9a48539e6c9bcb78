//! Outputs and gradients of single layers against real Keras: `fixtures/parity/layers`, made by `fixtures/parity/make.py layers`.

use super::chain::Chain;
use super::formula::{cotangent, layer_input, weight};
use maobi_kernels::pointwise::{self, Activation as Kernel};
use maobi_nn::layers::Shape;
use maobi_nn::layers::registry::{UnknownKeys, from_config};
use serde_json::Value;
use std::path::PathBuf;

/// Absolute and relative: what the project promises for single layers.
const TOLERANCE: f32 = 1e-5;

/// Keys that Keras releases after 3.0.5 write and older ones refuse: we read them and do not write them.
const LATELY_ADDED: [&str; 4] = ["quantization_config", "renorm", "renorm_clipping", "renorm_momentum"];
/// Keys of arguments that Keras has given up, and we never had.
const GIVEN_UP: [&str; 1] = ["rms_scaling"];
/// Keys that we write and Keras reads, though Keras writes them elsewhere.
const OWN: [(&str, &str); 1] = [("Dense", "activity_regularizer")];

/// Cases that are refused, with a word of the reason.
const REFUSED: [(&str, &str, &str); 1] = [("shape", "center_crop_enlarged", "at most the image's")];

/// Keras' activations that are not here.
const NO_ACTIVATION: &[&str] = &[
    "celu",
    "glu",
    "hard_shrink",
    "hard_silu",
    "hard_tanh",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh_shrink",
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/parity/layers")
}

fn cases(file: &str) -> Vec<Value> {
    read(folder().join(format!("{file}.json")))
}

/// The cases of a golden file.
pub fn read(path: PathBuf) -> Vec<Value> {
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    value["cases"].as_array().expect("a list of cases").clone()
}

pub fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().expect("numbers").iter().map(|v| v.as_f64().expect("a number") as f32).collect()
}

pub fn lengths(value: &Value) -> Shape {
    value.as_array().expect("a shape").iter().map(|v| v.as_u64().expect("a length") as usize).collect()
}

pub fn close(got: &[f32], expected: &[f32], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}: length");
    for (i, (g, e)) in got.iter().zip(expected).enumerate() {
        assert!((g - e).abs() <= TOLERANCE * (1.0 + e.abs()), "{what}[{i}]: {g}, Keras has {e}");
    }
}

/// Checks one case; `Err` is the layer's refusal.
fn check(file: &str, case: &Value) -> Result<(), String> {
    let what = |part: &str| format!("{file}/{}: {part}", case["name"].as_str().unwrap_or("?"));
    let class = case["layer"]["class_name"].as_str().expect("a class");
    let config = case["layer"]["config"].as_object().expect("a config");
    let layer = from_config(class, config, UnknownKeys::Ignore).map_err(|e| e.to_string())?;
    check_keys(class, config, &layer.config(), &what("config"));

    let batched: Vec<Shape> = case["input_shapes"].as_array().expect("shapes").iter().map(lengths).collect();
    let shapes: Vec<Shape> = batched.iter().map(|s| s[1..].to_vec()).collect();
    let samples = batched[0][0];
    layer.build(&shapes)?;
    let training = case["training"].as_bool().expect("a flag");
    // Backward follows a training pass; layers that Keras ran in inference have the same pass there, but for dropout and frozen norms.
    let mut layer = layer;
    if class == "BatchNormalization" && !training {
        layer.base_mut().trainable = false;
    }
    let chain = Chain::new(&*layer, &shapes, samples, training);
    let inputs: Vec<Vec<f32>> = batched.iter().enumerate().map(|(k, s)| layer_input(k, s.iter().product())).collect();
    let declared: Vec<(String, Shape)> = chain.built.weights.iter().map(|w| (w.name.to_string(), w.shape.clone())).collect();
    let listed: Vec<(String, Shape)> = case["weights"]
        .as_array()
        .expect("weights")
        .iter()
        .map(|w| (w["name"].as_str().expect("a name").to_string(), lengths(&w["shape"])))
        .collect();
    assert_eq!(declared, listed, "{}", what("weights"));
    let mut weights: Vec<Vec<f32>> = listed.iter().enumerate().map(|(k, (name, shape))| weight(k, name, shape)).collect();

    let trace = chain.forward(&inputs, &weights);
    let mut output_shape = vec![samples];
    output_shape.extend(chain.built.steps.last().map_or(&shapes[0], |s| &s.output));
    assert_eq!(output_shape, lengths(&case["output_shape"]), "{}", what("output shape"));
    close(trace.output(), &numbers(&case["output"]), &what("output"));
    if ["Dropout", "SpatialDropout2D"].contains(&class) {
        // Inference is all that can agree: the generators differ.
        return Ok(());
    }
    let gradients = chain.backward(&trace, &weights, &cotangent(trace.output().len()), None);
    for (k, expected) in case["input_gradients"].as_array().expect("gradients").iter().enumerate() {
        close(&gradients.inputs[k], &numbers(&expected["values"]), &what(&format!("gradient of input {k}")));
    }
    if class == "BatchNormalization" && !training {
        // A layer of ours that uses the moving averages is frozen; Keras' was not.
        return Ok(());
    }
    for expected in case["weight_gradients"].as_array().expect("gradients") {
        let name = expected["name"].as_str().expect("a name");
        let k = listed.iter().position(|(n, _)| n == name).expect("a listed weight");
        close(&gradients.weights[k], &numbers(&expected["values"]), &what(&format!("gradient of {name}")));
    }
    if let Some(states) = case["state_after"].as_array() {
        chain.update_state(&trace, &mut weights);
        for expected in states {
            let name = expected["name"].as_str().expect("a name");
            // The step's random state of Keras' own is no weight.
            let Some(k) = listed.iter().position(|(n, _)| n == name) else { continue };
            close(&weights[k], &numbers(&expected["values"]), &what(&format!("{name} after the step")));
        }
    }
    Ok(())
}

/// Our config has Keras' keys, but for those that only late releases write.
pub fn check_keys(class: &str, keras: &serde_json::Map<String, Value>, ours: &serde_json::Map<String, Value>, what: &str) {
    let skip =
        |key: &str| ["name", "trainable", "dtype"].contains(&key) || LATELY_ADDED.contains(&key) || GIVEN_UP.contains(&key);
    let missing: Vec<_> = keras.keys().filter(|k| !skip(k) && !ours.contains_key(*k)).collect();
    assert!(missing.is_empty(), "{what}: keys {missing:?} are missing");
    let added: Vec<_> = ours.keys().filter(|k| !keras.contains_key(*k) && !OWN.contains(&(class, k))).collect();
    assert!(added.is_empty(), "{what}: keys {added:?} are not Keras'");
    for (key, value) in ours {
        let Some(theirs) = keras.get(key) else { continue };
        if let (Some(a), Some(b)) = (value.as_f64(), theirs.as_f64()) {
            assert!((a - b).abs() <= 1e-7 * b.abs(), "{what}: {key} is {a}, Keras has {b}");
        } else if value.is_string() || value.is_boolean() || value.is_null() {
            assert_eq!(value, theirs, "{what}: {key}");
        }
    }
}

/// Checks a file; a refusal must be listed in [`REFUSED`].
fn check_file(file: &str) {
    let mut refused = Vec::new();
    for case in cases(file) {
        if let Err(message) = check(file, &case) {
            let name = case["name"].as_str().expect("a name").to_string();
            let listed = REFUSED.iter().any(|(f, n, word)| (*f, *n) == (file, name.as_str()) && message.contains(word));
            let activation =
                file == "activation" && NO_ACTIVATION.contains(&name.as_str()) && message.contains("unknown activation");
            assert!(listed || activation, "{file}/{name}: {message}");
            refused.push(name);
        }
    }
    let expected =
        REFUSED.iter().filter(|(f, _, _)| *f == file).count() + if file == "activation" { NO_ACTIVATION.len() } else { 0 };
    assert_eq!(refused.len(), expected, "{file}: a case that is listed as refused is not: {refused:?}");
}

macro_rules! files {
    ($($file:ident),+ $(,)?) => {
        const FILES: &[&str] = &[$(stringify!($file)),+];
        $(
            #[test]
            fn $file() {
                check_file(stringify!($file));
            }
        )+
    };
}

files! {
    activation, activation_layers, average_pooling2d, batch_normalization, conv1d, conv2d, conv2d_transpose, dense, depthwise_conv2d, global_pooling2d,
    group_normalization, layer_normalization, max_pooling1d, max_pooling2d, merge, normalization, resizing, separable_conv2d, shape, unit_normalization,
}

#[test]
fn every_file_is_read() {
    let mut found: Vec<String> = std::fs::read_dir(folder())
        .expect("the fixtures")
        .map(|e| e.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    found.sort();
    let mut read: Vec<_> = FILES.iter().map(|f| f.to_string()).chain(["functions".to_string()]).collect();
    read.sort();
    assert_eq!(found, read);
}

/// Activation functions with arguments that a layer's config cannot carry.
#[test]
fn functions() {
    for case in cases("functions") {
        let name = case["name"].as_str().expect("a name");
        let number = |key: &str| case["arguments"][key].as_f64().map(|v| v as f32);
        let kernel = match case["function"].as_str().expect("a function") {
            "gelu" => Kernel::Gelu { approximate: case["arguments"]["approximate"].as_bool().expect("a flag") },
            "silu" => Kernel::Silu,
            "elu" => Kernel::Elu { alpha: number("alpha").expect("alpha") },
            "leaky_relu" => Kernel::LeakyRelu { negative_slope: number("negative_slope").expect("a slope") },
            "relu" => Kernel::Relu {
                max_value: number("max_value"),
                negative_slope: number("negative_slope").expect("a slope"),
                threshold: number("threshold").expect("a threshold"),
            },
            other => panic!("functions/{name}: no kernel for {other}"),
        };
        let expected = numbers(&case["output"]);
        let x = layer_input(0, expected.len());
        let (mut y, mut dx) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        pointwise::forward(kernel, &x, &mut y);
        close(&y, &expected, &format!("functions/{name}: output"));
        pointwise::backward(kernel, &x, &y, &cotangent(y.len()), &mut dx);
        close(&dx, &numbers(&case["input_gradients"][0]["values"]), &format!("functions/{name}: gradient"));
    }
}
