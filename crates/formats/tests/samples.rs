//! Files that real Keras wrote: its predictions and its training losses must come out here.
//!
//! The collection is looked for in `$MAOBI_DATA_DIR/../interop/samples`; `fixtures/interop/resume` is part of the sources.

use maobi_formats::{format, h5, keras, tensorflow, weights_h5};
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Activation, Conv2D, Dense, Flatten, GlobalAveragePooling2D, InputLayer, ZeroPadding2D};
use maobi_nn::losses::{MeanSquaredError, Target};
use maobi_nn::{Batch, Compile, Model, Samples};
use std::path::{Path, PathBuf};

/// The f32 values of a `.npy` file of version 1 as NumPy writes it.
fn npy(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    assert!(bytes.starts_with(b"\x93NUMPY\x01"));
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    assert!(String::from_utf8_lossy(&bytes[10..start]).contains("'<f4'"));
    bytes[start..].as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

fn samples() -> Option<PathBuf> {
    maobi_testing::data("../interop/samples")
}

fn predict(model: &Model, x: &[f32]) -> Vec<f32> {
    model.predict(&[x]).unwrap().remove(0).into_values()
}

/// 1e-5 absolute on probabilities: two libraries that sum in different orders.
fn assert_close(name: &str, ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len(), "{name}");
    let worst = ours.iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= 1e-5, "{name}: predictions differ by {worst:e}");
}

#[test]
fn predictions_are_those_of_keras() {
    let Some(folder) = samples() else { return };
    let x = npy(&folder.join("x.npy"));
    for name in ["seq", "func", "k2"] {
        let loaded = keras::load(&folder.join(format!("{name}.keras")), 1).unwrap();
        assert!(loaded.model.compiled().is_some(), "{name}: {:?}", loaded.notes);
        assert_eq!(loaded.notes, Vec::<String>::new(), "{name}");
        assert_close(name, &predict(&loaded.model, &x), &npy(&folder.join(format!("{name}_pred.npy"))));
        assert!(loaded.model.optimizer_state_ref().unwrap().iterations > 0, "{name}");
    }
    // The same network and weights as seq.keras, without how it was compiled.
    let plain = keras::load(&folder.join("seq_nocompile.keras"), 1).unwrap();
    assert!(plain.model.compiled().is_none());
    assert_eq!(plain.notes, Vec::<String>::new());
    // Other networks, whose predictions are not in the collection: they must load in full.
    for name in ["k3.0.5", "k3.8.0", "seq_sgd"] {
        let loaded = keras::load(&folder.join(format!("{name}.keras")), 1).unwrap();
        assert_eq!(loaded.notes, Vec::<String>::new(), "{name}");
        let state = loaded.model.optimizer_state_ref().unwrap();
        assert!(state.iterations > 0 && state.variables().iter().any(|v| v.values.iter().any(|v| *v != 0.0)), "{name}");
    }
}

#[test]
fn weights_load_into_the_same_network() {
    let Some(folder) = samples() else { return };
    let x = npy(&folder.join("x.npy"));
    for name in ["seq", "func"] {
        let whole = keras::load(&folder.join(format!("{name}.keras")), 1).unwrap().model;
        let mut fresh = Model::from_json(&whole.to_json(), 7).unwrap();
        weights_h5::load(&mut fresh, &folder.join(format!("{name}.weights.h5"))).unwrap();
        assert_close(name, &predict(&fresh, &x), &npy(&folder.join(format!("{name}_pred.npy"))));
        let mut into = Model::from_json(&whole.to_json(), 8).unwrap();
        keras::load_into(&mut into, &folder.join(format!("{name}.keras"))).unwrap();
        assert_eq!(predict(&into, &x), predict(&fresh, &x));
    }
    let message = keras::load(&folder.join("k2.h5"), 1).unwrap_err().to_string();
    assert!(message.contains("expected a .keras file (a ZIP archive), got an HDF5 file"), "{message}");
}

#[test]
fn tensorflow_s_checkpoints_load() {
    let Some(folder) = samples() else { return };
    // The weights of k2.keras, saved with its optimizer.
    let theirs = keras::load(&folder.join("k2.keras"), 1).unwrap().model;
    let mut model = Model::from_json(&theirs.to_json(), 7).unwrap();
    model.compile(theirs.compiled().unwrap().clone()).unwrap();
    let path = folder.join("cp-0005.ckpt");
    assert_eq!(format::detect(&path).unwrap().name(), "tf-checkpoint");
    assert_eq!(tensorflow::latest(&folder).unwrap(), Some(path.clone()));
    assert_eq!(tensorflow::checkpoint::load_into(&mut model, &path).unwrap(), Vec::<String>::new());
    assert_close("cp-0005.ckpt", &predict(&model, &npy(&folder.join("x.npy"))), &npy(&folder.join("k2_pred.npy")));
    let slots = |model: &Model| {
        let state = model.optimizer_state_ref().unwrap();
        (state.iterations, state.variables().iter().map(|v| v.values.to_vec()).collect::<Vec<_>>())
    };
    assert_eq!(slots(&model), slots(&theirs));
    // A name-based one, of a graph that is no network of ours: what is there is told.
    let message =
        format::detect(&folder.join("tf1")).unwrap().load_weights(&mut model, &folder.join("tf1")).unwrap_err().to_string();
    assert!(message.contains("the file has Variable [4, 10], Variable_1 [10], weight/wd1 [3, 3]"), "{message}");
}

#[test]
fn older_whole_models() {
    let Some(folder) = samples() else { return };
    let x = npy(&folder.join("x.npy"));
    let load = |name: &str| h5::load(&folder.join(format!("{name}.h5")), 1).unwrap();
    for name in ["seq", "func", "k2"] {
        let loaded = load(name);
        assert_eq!(loaded.notes, Vec::<String>::new(), "{name}");
        assert_close(name, &predict(&loaded.model, &x), &npy(&folder.join(format!("{name}_pred.npy"))));
        // The same training run is in both files.
        let other = keras::load(&folder.join(format!("{name}.keras")), 1).unwrap().model;
        let (ours, theirs) = (loaded.model.optimizer_state_ref().unwrap(), other.optimizer_state_ref().unwrap());
        assert_eq!((ours.iterations, ours.learning_rate), (theirs.iterations, theirs.learning_rate), "{name}");
        for (a, b) in ours.variables().iter().zip(theirs.variables()) {
            assert_eq!(a.values[..], b.values[..], "{name}: {}", a.name);
        }
        let metrics =
            |m: &Model| m.compiled().unwrap().metrics.iter().flatten().map(|m| m.name().to_string()).collect::<Vec<_>>();
        assert_eq!(metrics(&loaded.model), ["accuracy"], "{name}");
    }
    for name in ["k3.0.5", "seq_sgd"] {
        let loaded = load(name);
        assert_eq!(loaded.notes, Vec::<String>::new(), "{name}");
        assert!(loaded.model.optimizer_state_ref().unwrap().variables().iter().any(|v| v.values.iter().any(|v| *v != 0.0)));
    }
    // Weights alone, into the network of the whole model.
    let mut model = Model::from_json(&load("k2").model.to_json(), 9).unwrap();
    h5::load_weights(&mut model, &folder.join("k2_weights.h5")).unwrap();
    assert_close("k2_weights", &predict(&model, &x), &npy(&folder.join("k2_pred.npy")));
    for (name, whole) in [("seq.weights", "seq"), ("func", "func"), ("k2", "k2")] {
        let mut model = Model::from_json(&load(whole).model.to_json(), 9).unwrap();
        weights_h5::load(&mut model, &folder.join(format!("{name}.h5"))).unwrap();
        assert_close(name, &predict(&model, &x), &npy(&folder.join(format!("{whole}_pred.npy"))));
    }
    let message = h5::load(&folder.join("k2_weights.h5"), 1).unwrap_err().to_string();
    assert!(message.contains("holds weights alone"), "{message}");
}

#[test]
fn names_and_types_of_keras_1() {
    let Some(folder) = samples() else { return };
    let layers = |units: usize| {
        let chain = Sequential::new().add(InputLayer::new([4, 4, 1])).add(Conv2D::new(3, 3)).add(Activation::new("relu"));
        chain.add(GlobalAveragePooling2D::new()).add(Dense::new(units)).build(1).unwrap()
    };
    // The sample's dense layer has four inputs, so its shapes must be refused; all of them are.
    let message = h5::load_weights(&mut layers(9), &folder.join("k1_weights.h5")).unwrap_err().to_string();
    for line in [
        "layer \"dense\", kernel (/dense_1/dense_1/kernel:0): expected shape [3, 9], found [4, 10]",
        "layer \"dense\", bias (/dense_1/dense_1/bias:0): expected shape [9], found [10]",
    ] {
        assert!(message.contains(line), "{message}");
    }
    let mut model = Sequential::new()
        .add(InputLayer::new([2, 2, 1]))
        .add(ZeroPadding2D::new(1))
        .add(Conv2D::new(3, 3))
        .add(Flatten::new())
        .add(Dense::new(4).name("skipped").use_bias(false).trainable(false))
        .add(Dense::new(10))
        .build(1)
        .unwrap();
    let message = h5::load_weights(&mut model, &folder.join("k1_weights.h5")).unwrap_err().to_string();
    assert!(
        message.contains("3 layers have weights (conv2d, skipped, dense), in the file 2 (convolution2d_1, dense_1)"),
        "{message}"
    );
    // What is there comes out of fixed-length names, float64 and big-endian numbers, by order.
    let mut model = Model::from_json(
        r#"{"class_name": "Functional", "config": {"name": "two", "layers": [
        {"class_name": "InputLayer", "name": "a", "config": {"name": "a", "batch_shape": [null, 3, 3, 1]}, "inbound_nodes": []},
        {"class_name": "InputLayer", "name": "b", "config": {"name": "b", "batch_shape": [null, 4]}, "inbound_nodes": []},
        {"class_name": "Conv2D", "name": "c", "config": {"name": "c", "filters": 3, "kernel_size": 3}, "inbound_nodes": [[["a", 0, 0, {}]]]},
        {"class_name": "Dense", "name": "d", "config": {"name": "d", "units": 10}, "inbound_nodes": [[["b", 0, 0, {}]]]}],
        "input_layers": [["a", 0, 0], ["b", 0, 0]], "output_layers": [["c", 0, 0], ["d", 0, 0]]}}"#,
        1,
    )
    .unwrap();
    h5::load_weights(&mut model, &folder.join("k1_weights.h5")).unwrap();
    let values: Vec<Vec<f32>> = model.weights().iter().map(|w| w.values().to_vec()).collect();
    assert_eq!(values, [(0..27).map(|i| i as f32).collect(), vec![0.0; 3], vec![1.0; 40], vec![0.0; 10]]);
}

#[test]
fn names_split_over_several_attributes() {
    let Some(folder) = samples() else { return };
    // The file has names but no groups: they must all be found before the first group is missed.
    let mut model = Sequential::new().add(InputLayer::new([2])).add(Dense::new(1)).build(1).unwrap();
    let message = h5::load_weights(&mut model, &folder.join("splitattr.h5")).unwrap_err().to_string();
    assert!(message.contains("/layer_00000_") && message.contains("is missing; layer_names lists it"), "{message}");
}

#[test]
fn every_file_is_recognised_by_its_content() {
    let Some(folder) = samples() else { return };
    let of = |name: &str| format::detect(&folder.join(name)).unwrap().name();
    for (name, format) in [("seq.keras", "keras"), ("k2.keras", "keras"), ("seq.h5", "h5"), ("k2_weights.h5", "h5")] {
        assert_eq!(of(name), format, "{name}");
    }
    for (name, format) in [("k1_weights.h5", "h5"), ("splitattr.h5", "h5"), ("func.weights.h5", "weights.h5")] {
        assert_eq!(of(name), format, "{name}");
    }
    // Whatever it is called.
    let other = tempfile::tempdir().unwrap();
    for (name, called, format) in
        [("seq.weights.h5", "a.h5", "weights.h5"), ("k2.h5", "b.weights.h5", "h5"), ("seq.keras", "c", "keras")]
    {
        let path = other.path().join(called);
        std::fs::copy(folder.join(name), &path).unwrap();
        assert_eq!(format::detect(&path).unwrap().name(), format, "{name}");
    }
}

/// Weights and optimizers of both generations of tf_keras, and of TensorFlow 1, as fixtures/interop/make_checkpoints.py left them.
#[test]
fn checkpoints_bring_their_optimizers() {
    use maobi_nn::optimizers::{Adam, Optimizer, SGD};
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/interop/checkpoints");
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let golden: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(golden.as_object().unwrap().len(), 5);
    for (name, expected) in golden.as_object().unwrap() {
        let mut model =
            Sequential::new().add(InputLayer::new([3])).add(Dense::new(2).use_bias(false)).add(Dense::new(2)).build(1).unwrap();
        let optimizer: Optimizer = if name.contains("sgd") { SGD::new(0.5).momentum(0.9).into() } else { Adam::new(0.5).into() };
        model.compile(Compile::new(optimizer, MeanSquaredError::new())).unwrap();
        let path = folder.join(format!("{name}.ckpt"));
        let notes = format::detect(&path).unwrap().load_weights(&mut model, &path).unwrap();
        assert_eq!(notes, Vec::<String>::new(), "{name}");
        let list = |key: &str| -> Vec<Vec<f32>> { serde_json::from_value(expected[key].clone()).unwrap() };
        let weights: Vec<Vec<f32>> = model.weights().iter().map(|w| w.values().to_vec()).collect();
        assert_eq!(weights, list("weights"), "{name}");
        let state = model.optimizer_state_ref().unwrap();
        let slots: Vec<Vec<f32>> = state.variables().iter().map(|v| v.values.to_vec()).collect();
        assert_eq!(slots, list("slots"), "{name}");
        assert_eq!(state.iterations, expected["steps"].as_u64().unwrap(), "{name}");
        // TensorFlow 1 keeps no learning rate.
        let rate = if name == "tf1_adam" {
            0.5
        } else if name.contains("sgd") {
            0.1
        } else {
            0.01
        };
        assert_eq!(state.learning_rate, rate, "{name}");
    }
}

/// The integer formula of fixtures/parity/formula.py.
fn hash(stream: u32, i: u32) -> u32 {
    let mut h = i.wrapping_mul(2_654_435_761).wrapping_add(stream.wrapping_mul(40503).wrapping_add(12345));
    for (shift, factor) in [(16, 0x85EB_CA6B), (13, 0xC2B2_AE35_u32)] {
        h ^= h >> shift;
        h = h.wrapping_mul(factor);
    }
    h ^ h >> 16
}

/// `count` images [28, 28, 1] of pixels / 255 from sample `first` on, and their labels.
fn formula(first: u32, count: u32) -> (Vec<f32>, Vec<u32>) {
    let labels: Vec<u32> = (first..first + count).map(|s| hash(3000, s) % 10).collect();
    let pixel = |s: u32, row: u32, column: u32| {
        let label = labels[(s - first) as usize];
        let noise = hash(3001, s * 784 + row * 28 + column) % 64;
        let distance = row.abs_diff(6 + 8 * (label / 5)) + column.abs_diff(4 + 5 * (label % 5));
        let blob = if distance <= 5 { 160 - 24 * distance } else { 0 };
        (noise + blob) as f32 / 255.0
    };
    let images = (first..first + count).flat_map(|s| (0..784).map(move |i| (s, i / 28, i % 28)));
    (images.map(|(s, row, column)| pixel(s, row, column)).collect(), labels)
}

fn fixtures(name: &str) -> (PathBuf, serde_json::Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/interop").join(name);
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    (folder, serde_json::from_str(&text).unwrap())
}

/// Trains on from the step at which `golden` was saved: the losses must be those of `case`.
fn goes_on(model: &mut Model, golden: &serde_json::Value, case: &serde_json::Value) {
    let name = case["file"].as_str().unwrap();
    let batch = golden["batch_size"].as_u64().unwrap() as u32;
    let first_step = golden["first_step"].as_u64().unwrap() as u32;
    assert_eq!(model.optimizer_state_ref().unwrap().iterations, u64::from(first_step), "{name}");
    for (step, expected) in case["losses"].as_array().unwrap().iter().enumerate() {
        let (images, labels) = formula((first_step + step as u32) * batch, batch);
        let feed = Samples { samples: batch as usize, inputs: &[&images] };
        let targets = [Target::Classes(&labels)];
        let got =
            model.train_on_batch(Batch { feed: &feed, targets: &targets, sample_weight: None, class_weight: None }).unwrap().loss;
        let expected = expected.as_f64().unwrap();
        // Two libraries' sums drift apart step by step; a lost slot or iteration shows at 1e-2.
        assert!((got - expected).abs() <= 1e-4 * expected.max(1.0), "{name}, step {step}: loss {got}, Keras {expected}");
    }
}

#[test]
fn training_goes_on_where_keras_stopped() {
    let (folder, golden) = fixtures("resume");
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let name = case["file"].as_str().unwrap();
        let mut loaded = keras::load(&folder.join(name), 1).unwrap();
        assert_eq!(loaded.notes, Vec::<String>::new(), "{name}");
        let model = &mut loaded.model;
        let (images, _) = formula(0, 16);
        assert_close(name, &predict(model, &images), &npy(&folder.join(name.replace(".keras", "_pred.npy"))));
        goes_on(model, &golden, case);
    }
}

#[test]
fn training_goes_on_where_keras_2_stopped() {
    // Both generations of its optimizers order their variables in their own way.
    let (folder, golden) = fixtures("h5");
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let name = case["file"].as_str().unwrap();
        let mut loaded = h5::load(&folder.join(name), 1).unwrap();
        assert_eq!(loaded.notes, Vec::<String>::new(), "{name}");
        goes_on(&mut loaded.model, &golden, case);
    }
}

#[test]
fn every_way_to_store_a_dataset() {
    let (folder, _) = fixtures("h5");
    let network = |layers: usize| {
        let chain = Sequential::new().add(InputLayer::new([9]));
        (0..layers).fold(chain, |chain, _| chain.add(Dense::new(9).use_bias(false))).build(1).unwrap()
    };
    let mut model = network(8);
    h5::load_weights(&mut model, &folder.join("kinds.h5")).unwrap();
    for (index, weight) in model.weights().iter().enumerate() {
        // The formula of fixtures/interop/make_h5.py.
        let expected: Vec<f32> = (0..81).map(|i| ((i * 7 + index) % 128) as f32 / 8.0 - 8.0).collect();
        assert_eq!(weight.values()[..], expected, "dataset {index}");
    }
    let message = h5::load_weights(&mut network(1), &folder.join("lzf.h5")).unwrap_err().to_string();
    assert!(message.contains("/dense_0/dense_0_W: compressed with HDF5 filter 32000, which is not read"), "{message}");
}
