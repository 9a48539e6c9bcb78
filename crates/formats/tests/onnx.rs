//! ONNX files by PyTorch and Keras give what ONNX Runtime made of them; our own come back as they were.

#[path = "../examples/write_exports/zoo.rs"]
mod zoo;

use maobi_formats::{format, onnx};
use maobi_nn::Model;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/interop/onnx")
}

/// The inputs of fixtures/interop/onnx/make_torch.py.
fn formula(len: usize) -> Vec<f32> {
    let hash = |i: u64| (i * 2_654_435_761 + 12345) & 0xFFFF_FFFF;
    (0..len as u64).map(|i| ((hash(i) >> 8) as f64 / f64::from(1 << 24) - 0.5) as f32).collect()
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn load(path: &Path) -> (Model, Vec<String>) {
    let loaded = format::named("onnx").unwrap().load(path, 1).unwrap_or_else(|e| panic!("{e}"));
    (loaded.model, loaded.notes)
}

#[test]
fn other_programs_files_predict_as_onnx_runtime() {
    let mut files = 0;
    for golden in ["golden_torch.json", "golden_keras.json"] {
        let text = std::fs::read_to_string(fixtures().join(golden)).unwrap();
        let golden: serde_json::Value = serde_json::from_str(&text).unwrap();
        for case in golden["cases"].as_array().unwrap() {
            let name = case["file"].as_str().unwrap();
            let (model, notes) = load(&fixtures().join(name));
            let shape: Vec<usize> = numbers(&case["input"]).iter().map(|n| *n as usize).collect();
            assert_eq!(model.input_shapes(), vec![shape.clone()], "{name}");
            let batch = golden["batch"].as_u64().unwrap() as usize;
            let outputs = model.predict(&[&formula(batch * shape.iter().product::<usize>())]).unwrap();
            let expected = case["outputs"].as_array().unwrap();
            assert_eq!(outputs.len(), expected.len(), "{name}");
            for (ours, theirs) in outputs.iter().zip(expected) {
                let mut theirs = numbers(&theirs["values"]);
                // PyTorch's sample ends in a log-softmax; here it is the softmax.
                if notes.iter().any(|note| note.contains("the file takes their logarithm")) {
                    theirs.iter_mut().for_each(|v| *v = v.exp());
                }
                assert_eq!(ours.len(), theirs.len(), "{name}");
                let worst = ours.iter().zip(&theirs).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
                // Sums of some hundred products of numbers below 1, in another order.
                assert!(worst <= 1e-6, "{name}: differs by {worst:e}");
            }
            files += 1;
        }
    }
    assert_eq!(files, 12);
}

#[test]
fn layers_have_the_names_and_arguments_of_keras() {
    let (model, notes) = load(&fixtures().join("mnist.onnx"));
    let layers: Vec<(String, &str)> = model.graph().layers.iter().map(|l| (l.name.clone(), l.layer.class_name())).collect();
    let expected = [
        ("image", "InputLayer"),
        ("conv1", "Conv2D"),
        ("conv2", "Conv2D"),
        ("max_pooling2d", "MaxPooling2D"),
        ("flatten", "Flatten"),
        ("fc1", "Dense"),
        ("fc2", "Dense"),
        ("softmax", "Softmax"),
    ];
    assert_eq!(layers, expected.map(|(name, class)| (name.to_string(), class)));
    let config = model.graph().layers[1].layer.config();
    assert_eq!((&config["activation"], &config["padding"]), (&"relu".into(), &"valid".into()));
    assert!(notes[0].contains("\"image\" takes [batch, 12, 12, 1]: channels last"), "{notes:?}");
    // Padding that Keras has a word for is no layer of its own; other padding is.
    let classes = |name: &str| -> Vec<&'static str> {
        load(&fixtures().join(name)).0.graph().layers.iter().map(|l| l.layer.class_name()).collect()
    };
    assert!(!classes("view-dynamo.onnx").contains(&"ZeroPadding2D"));
    assert!(classes("residual-dynamo.onnx").contains(&"ZeroPadding2D"));
}

/// Classes and how many there are, without what inference drops and without names of ways to write the same.
fn classes(model: &Model) -> BTreeMap<&'static str, usize> {
    let mut count = BTreeMap::new();
    for layer in &model.graph().layers {
        *count.entry(layer.layer.class_name()).or_default() += 1;
    }
    count
}

#[test]
fn our_own_files_come_back() {
    let folder = tempfile::tempdir().unwrap();
    for model in zoo::networks().unwrap() {
        let name = model.name().to_string();
        let path = folder.path().join(format!("{name}.onnx"));
        let onnx = format::named("onnx").unwrap();
        let extras: [(&str, &[u8]); 1] = [("preprocessing.json", b"{\"scale\": 0.5}")];
        let left = onnx.save(&model, &path, &extras).unwrap();
        assert_eq!(left.len(), usize::from(name == "layers" || name == "outputs"), "{left:?}");
        // A ReLU with a threshold is nodes that no layer here is.
        if name == "functions" {
            let message = onnx.load(&path, 1).unwrap_err().to_string();
            assert!(
                message.contains("node \"re_lu_2/Greater\" (Greater)") && message.contains("those that are read: Add,"),
                "{message}"
            );
            continue;
        }
        // Written, and read by ONNX Runtime (fixtures/interop/run.sh), but not here yet.
        if name == "rare" {
            let message = onnx.load(&path, 1).unwrap_err().to_string();
            assert!(message.contains("node \"conv2d_transpose/ConvTranspose\" (ConvTranspose)"), "{message}");
            continue;
        }
        let loaded = onnx.load(&path, 1).unwrap();
        assert_eq!(loaded.extras, [("preprocessing.json".to_string(), b"{\"scale\": 0.5}".to_vec())]);
        let back = loaded.model;
        let inputs = zoo::inputs(&model);
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let (before, after) = (model.predict(&inputs).unwrap(), back.predict(&inputs).unwrap());
        for (before, after) in before.iter().zip(&after) {
            let worst = before.iter().zip(after).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            // The same kernels on the same numbers; a normalization that became a product and a sum rounds once more.
            assert!(before.len() == after.len() && worst <= 1e-6, "{name}: {worst:e}");
        }
        if name == "graph" {
            assert_eq!(back.output_names(), model.output_names());
            // The shared layer is two with the same weights.
            assert_eq!(classes(&back)["Conv2D"], classes(&model)["Conv2D"] + 1);
        }
    }
}

#[test]
fn a_recipe_comes_back_layer_by_layer() {
    use maobi_nn::graph::Sequential;
    use maobi_nn::layers::{BatchNormalization, Conv2D, Dense, Flatten, InputLayer, MaxPooling2D, Softmax};
    let model = Sequential::new()
        .add(InputLayer::new([12, 12, 1]))
        .add(Conv2D::new(4, 3).activation("relu").name("conv1"))
        .add(BatchNormalization::new())
        .add(MaxPooling2D::new(2))
        .add(Flatten::new())
        .add(Dense::new(7).activation("relu").name("fc1"))
        .add(Dense::new(5).name("fc2"))
        .add(Softmax::new())
        .build(9)
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    let onnx = format::named("onnx").unwrap();
    onnx.save(&model, &path, &[]).unwrap();
    let back = onnx.load(&path, 1).unwrap().model;
    for (a, b) in model.graph().layers.iter().zip(&back.graph().layers) {
        assert_eq!((&a.name, a.layer.class_name()), (&b.name, b.layer.class_name()));
        let (a, b) = (a.layer.config(), b.layer.config());
        for key in ["activation", "padding", "strides", "pool_size", "epsilon", "use_bias"] {
            assert_eq!(a.get(key), b.get(key), "{key}");
        }
    }
    for (a, b) in model.weights().iter().zip(back.weights()) {
        assert_eq!((&a.path, &a.values()[..]), (&b.path, &b.values()[..]));
    }
    // Weights alone, into a model that is there.
    let mut other = Model::from_json(&model.to_json(), 77).unwrap();
    onnx.load_weights(&mut other, &path).unwrap();
    assert_eq!(other.weights()[0].values()[..], model.weights()[0].values()[..]);
    let mut small = Sequential::new().add(InputLayer::new([3])).add(Dense::new(2).name("fc1")).build(1).unwrap();
    let message = onnx.load_weights(&mut small, &path).unwrap_err().to_string();
    assert!(message.contains("layer \"fc1\", kernel") && message.contains("expected shape [3, 2]"), "{message}");
    // The same model gives the same bytes, and bytes alone are enough.
    let bytes = std::fs::read(&path).unwrap();
    onnx.save(&model, &path, &[]).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert!(onnx::load_bytes(Path::new("m.onnx"), &bytes, 1).is_ok());
}
