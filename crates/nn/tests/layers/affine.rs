//! The random image transformations against real Keras, each range narrowed to one value: `fixtures/affine`.

use super::chain::Chain;
use super::formula::layer_input;
use super::parity::{check_keys, close, lengths, numbers, read};
use maobi_nn::layers::registry::{UnknownKeys, from_config};
use std::path::PathBuf;

#[test]
fn transformed_images_are_keras_own() {
    let cases = read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/affine/affine.json"));
    assert_eq!(cases.len(), 48);
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let class = case["class_name"].as_str().expect("a class");
        let config = case["config"].as_object().expect("a config");
        let layer = from_config(class, config, UnknownKeys::Refuse).unwrap_or_else(|e| panic!("{name}: {e}"));
        check_keys(class, config, &layer.config(), name);
        let shape = lengths(&case["input_shape"]);
        let x = layer_input(0, shape.iter().product());
        let chain = Chain::new(&*layer, &[shape[1..].to_vec()], shape[0], true);
        close(chain.forward(&[x], &[]).output(), &numbers(&case["output"]), name);
    }
}
