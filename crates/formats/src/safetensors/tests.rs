use super::*;
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{BatchNormalization, Conv2D, Dense, Flatten, InputLayer};
use proptest::prelude::*;

fn network(seed: u64) -> Model {
    Sequential::new()
        .add(InputLayer::new([4, 4, 1]))
        .add(Conv2D::new(2, 3))
        .add(BatchNormalization::new())
        .add(Flatten::new())
        .add(Dense::new(3))
        .build(seed)
        .unwrap()
}

fn weights(model: &Model) -> Vec<Vec<f32>> {
    model.weights().iter().map(|w| w.values().to_vec()).collect()
}

const NAME: &str = "m.safetensors";

#[test]
fn a_whole_model_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let model = network(1);
    let extras: [(&str, &[u8]); 2] = [("preprocessing.json", b"{\"scale\":1}"), ("bytes", b"\xff\0")];
    assert_eq!(Safetensors.save(&model, &path, &extras).unwrap(), Vec::<String>::new());
    assert_eq!(crate::format::detect(&path).unwrap().name(), "safetensors");
    let loaded = Safetensors.load(&path, 7).unwrap();
    assert_eq!(loaded.model.to_json(), model.to_json());
    assert_eq!(weights(&loaded.model), weights(&model));
    let extras: Vec<(String, Vec<u8>)> = extras.iter().map(|(n, b)| (n.to_string(), b.to_vec())).collect();
    assert_eq!(loaded.extras, extras);
    let mut other = network(2);
    assert_eq!(Safetensors.load_weights(&mut other, &path).unwrap(), Vec::<String>::new());
    assert_eq!(weights(&other), weights(&model));
}

/// A file by hand: (name, dtype, shape, bytes).
fn file(tensors: &[(&str, &str, &[usize], Vec<u8>)]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut data = Vec::new();
    for (name, dtype, shape, bytes) in tensors {
        let begin = data.len();
        data.extend(bytes);
        let entry = serde_json::json!({ "dtype": dtype, "shape": shape, "data_offsets": [begin, data.len()] });
        header.insert(name.to_string(), entry);
    }
    let header = serde_json::Value::Object(header).to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &data].concat()
}

fn dense() -> Model {
    Sequential::new().add(InputLayer::new([2])).add(Dense::new(1)).build(1).unwrap()
}

#[test]
fn other_widths_are_read_and_all_misfits_are_named() {
    let mut model = dense();
    let half: Vec<u8> = [0x3c00u16, 0xc000].iter().flat_map(|b| b.to_le_bytes()).collect();
    let double = 0.5f64.to_le_bytes().to_vec();
    let tensors =
        [("dense.kernel", "F16", &[2usize, 1][..], half), ("dense.bias", "F64", &[1], double), ("other", "U8", &[1], vec![1])];
    let notes = load_weights_bytes(&mut model, Path::new(NAME), &file(&tensors)).unwrap();
    assert_eq!(weights(&model), [vec![1.0, -2.0], vec![0.5]]);
    assert_eq!(notes, ["1 tensors of the file belong to no layer of the model"]);

    let transposed = file(&[("dense.kernel", "F32", &[1, 2], vec![0; 8])]);
    let message = load_weights_bytes(&mut model, Path::new(NAME), &transposed).unwrap_err().to_string();
    assert!(
        message.contains("layer \"dense\", kernel (tensor \"dense.kernel\"): expected shape [2, 1], found [1, 2]"),
        "{message}"
    );
    assert!(message.contains("layer \"dense\", bias: not in the file"), "{message}");
    let integers = file(&[("dense.kernel", "I32", &[2, 1], vec![0; 8]), ("dense.bias", "F32", &[1], vec![0; 4])]);
    let message = load_weights_bytes(&mut model, Path::new(NAME), &integers).unwrap_err().to_string();
    assert!(message.contains("I32: not a type of weights here"), "{message}");
    assert_eq!(weights(&model), [vec![1.0, -2.0], vec![0.5]]);
}

#[test]
fn a_file_without_a_network_says_what_to_do() {
    let bytes = file(&[("dense.kernel", "F32", &[2, 1], vec![0; 8])]);
    let message = load_bytes(Path::new(NAME), &bytes, 1).unwrap_err().to_string();
    assert!(message.contains("holds weights alone") && message.contains(".keras"), "{message}");
}

#[test]
fn claims_are_held_against_the_file() {
    let refused = |bytes: &[u8], expected: &str| {
        let message = load_weights_bytes(&mut dense(), Path::new(NAME), bytes).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    };
    refused(b"short", "shorter than the 8 bytes");
    refused(&[0xff; 20], "does not fit into the file");
    refused(&file(&[("a", "F32", &[2], vec![0; 4])]), "tensor \"a\": 4 bytes do not hold F32 of shape [2]");
    refused(&file(&[("a", "F32", &[usize::MAX, 4], vec![0; 4])]), "do not hold F32");
    let mut long = file(&[("a", "F32", &[1], vec![0; 4])]);
    long.push(0);
    refused(&long, "the file at");
    let header = br#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#;
    let overlap = [&(header.len() as u64).to_le_bytes()[..], header, &[0]].concat();
    refused(&overlap, "begins at byte");
}

#[test]
fn two_weights_of_one_name_are_refused() {
    // "a.b" with kernel "c" and "a" with "b.c" cannot both be written: names of weights have no dots, so only layers can clash.
    let values = [0.0f32];
    let twice = [("a.kernel".to_string(), &[1usize][..], &values[..]), ("a.kernel".to_string(), &[1], &values)];
    assert!(header::write(&[], &twice).unwrap_err().contains("a.kernel"));
}

proptest! {
    #[test]
    fn cut_and_flipped_files_never_panic(cut in 0usize..4000, at in 0usize..4000, bit in 0u8..8) {
        let whole = to_bytes(&network(1), &[]).unwrap();
        let path = Path::new(NAME);
        prop_assert!(load_bytes(path, &whole[..cut % whole.len()], 1).is_err());
        let mut flipped = whole.clone();
        let at = at % whole.len();
        flipped[at] ^= 1 << bit;
        let _ = load_bytes(path, &flipped, 1);
        let mut model = network(2);
        let before = weights(&model);
        if load_weights_bytes(&mut model, path, &flipped).is_err() {
            prop_assert_eq!(weights(&model), before);
        }
    }
}
