//! Files of Keras with what few networks have: models within models (`fixtures/interop/make_nested.py`) and rare layers
//! (`fixtures/interop/make_layers.py`). And the same networks in our files.

use maobi_files::Archive;
use maobi_formats::format;
use maobi_nn::Model;
use std::fs::File;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/interop").join(name)
}

/// Inputs and Keras' predictions.
fn arrays(name: &str) -> (Vec<Vec<f32>>, Vec<f32>) {
    let mut archive = Archive::new(File::open(fixture(name)).unwrap(), 1 << 20).unwrap();
    let inputs = (0..archive.names().len() - 1).map(|i| archive.array(&format!("x{i}.npy")).unwrap().to_f32()).collect();
    (inputs, archive.array("y.npy").unwrap().to_f32())
}

fn load(path: &Path) -> Model {
    format::detect(path).unwrap().load(path, 1).unwrap_or_else(|error| panic!("{}: {error}", path.display())).model
}

fn load_weights(model: &mut Model, path: &Path) {
    let format = format::detect(path).unwrap();
    format.load_weights(model, path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

fn agrees(model: &Model, inputs: &[Vec<f32>], expected: &[f32], what: &str) {
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let found = model.predict(&inputs).unwrap().remove(0);
    // Sums of up to 48 products of numbers around 1, in another order.
    let most = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(found.len() == expected.len() && most < 1e-6, "{what}: {most}");
}

/// A whole model, the arrays that belong to it, and files that hold its weights alone.
const FILES: [(&str, &str, &[&str]); 8] = [
    ("nested/keras.keras", "nested/keras.npz", &["keras.h5", "keras.weights.h5", "tf_keras.h5", "tf_keras.ckpt.index"]),
    ("nested/keras.h5", "nested/keras.npz", &["keras.keras", "keras.weights.h5", "tf_keras.ckpt.index"]),
    ("nested/tf_keras.h5", "nested/tf_keras.npz", &["tf_keras.ckpt.index", "keras.keras"]),
    ("nested/sequential.keras", "nested/sequential.npz", &["sequential.h5", "tf_keras_sequential.h5"]),
    ("nested/sequential.h5", "nested/sequential.npz", &["sequential.keras"]),
    ("layers/preprocessing.keras", "layers/preprocessing.npz", &["preprocessing.weights.h5"]),
    ("layers/sequence.keras", "layers/sequence.npz", &["sequence.h5", "sequence.weights.h5"]),
    ("layers/sequence.h5", "layers/sequence.npz", &["sequence.keras"]),
];

#[test]
fn what_keras_wrote_predicts_as_in_keras() {
    for (file, npz, weights) in FILES {
        let (inputs, expected) = arrays(npz);
        let model = load(&fixture(file));
        agrees(&model, &inputs, &expected, file);
        for other in weights {
            let mut empty = Model::from_json(&model.to_json(), 2).unwrap();
            load_weights(&mut empty, &fixture(file).with_file_name(other));
            agrees(&empty, &inputs, &expected, &format!("{other} into {file}"));
        }
    }
    let (inputs, expected) = arrays("nested/tf_keras_sequential.npz");
    agrees(&load(&fixture("nested/tf_keras_sequential.h5")), &inputs, &expected, "tf_keras_sequential.h5");
}

#[test]
fn what_we_write_is_read_with_the_same_values_and_the_same_nesting() {
    let folder = tempfile::tempdir().unwrap();
    for (file, npz, _) in FILES {
        let (inputs, expected) = arrays(npz);
        let model = load(&fixture(file));
        for name in ["m.keras", "m.h5", "m.json", "m.weights.h5", "m.npz", "m.safetensors", "m.ckpt"] {
            let path = folder.path().join(name);
            let format = format::by_extension(&path).unwrap();
            format.save(&model, &path, &[]).unwrap_or_else(|error| panic!("{file} as {name}: {error}"));
            let path = if name == "m.ckpt" { folder.path().join("m.ckpt.index") } else { path };
            let copy = if matches!(name, "m.keras" | "m.h5") {
                load(&path)
            } else if name == "m.json" {
                let mut copy = load(&path);
                load_weights(&mut copy, &folder.path().join("m.h5"));
                copy
            } else {
                let mut copy = Model::from_json(&model.to_json(), 2).unwrap();
                load_weights(&mut copy, &path);
                copy
            };
            assert_eq!(copy.to_json(), model.to_json(), "{file} as {name}");
            agrees(&copy, &inputs, &expected, &format!("{file} as {name}"));
        }
    }
}

#[test]
fn constraints_of_keras_are_read() {
    let model = load(&fixture("../constraints/constraints.keras"));
    let classes: Vec<_> = model.weights().iter().map(|weight| weight.constraint.as_ref().unwrap().class_name()).collect();
    assert_eq!(classes, ["MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm"]);
}
