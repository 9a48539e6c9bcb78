//! Readers of model files.

use maobi_formats::tensorflow::{checkpoint, saver};
use maobi_formats::{Loaded, h5 as whole_h5, json, keras as whole_keras, npz, onnx as whole_onnx, safetensors as tensors};
use maobi_nn::Model;
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, InputLayer};
use std::path::Path;

/// The name of the file in errors.
fn input() -> &'static Path {
    Path::new("input")
}

fn network() -> Option<Model> {
    Sequential::new().add(InputLayer::new([2])).add(Dense::new(3)).build(1).ok()
}

/// A model that was read has as many values as its shapes say.
fn sound<E>(loaded: Result<Loaded, E>) {
    if let Ok(loaded) = loaded {
        assert!(loaded.model.weights().iter().all(|w| w.len() == w.shape.iter().product::<usize>()));
    }
}

/// Loads weights into a small network; it must be unchanged after an error.
fn into_network<T, E>(load: impl FnOnce(&mut Model) -> Result<T, E>) {
    let (Some(mut model), Some(fresh)) = (network(), network()) else { return };
    if load(&mut model).is_err() {
        for (weight, before) in model.weights().iter().zip(fresh.weights()) {
            assert_eq!(weight.values()[..], before.values()[..]);
        }
    }
}

/// Any bytes are a whole model or weights in an older layout of Keras, or an error.
pub fn h5(bytes: &[u8]) {
    sound(whole_h5::load_bytes(input(), bytes.to_vec(), 1));
    into_network(|model| whole_h5::load_weights_bytes(model, input(), bytes.to_vec()));
}

/// Any bytes are a `.keras` file or an error.
pub fn keras(bytes: &[u8]) {
    sound(whole_keras::load_bytes(input(), bytes.to_vec(), 1));
}

/// Any bytes are the weights of a small network or an error.
pub fn weights_h5(bytes: &[u8]) {
    into_network(|model| maobi_formats::weights_h5::load_bytes(model, input(), bytes.to_vec()));
}

/// Any bytes are the weights of a small network or an error.
pub fn npz_weights(bytes: &[u8]) {
    into_network(|model| npz::load_bytes(model, input(), bytes.to_vec()));
}

/// Any bytes are a network in Keras' JSON or an error.
pub fn network_json(bytes: &[u8]) {
    sound(json::load_bytes(input(), bytes.to_vec(), 1));
}

/// Any bytes are an ONNX file or an error.
pub fn onnx(bytes: &[u8]) {
    sound(whole_onnx::load_bytes(input(), bytes, 1));
}

/// Any bytes are a safetensors file or an error.
pub fn safetensors(bytes: &[u8]) {
    sound(tensors::load_bytes(input(), bytes, 1));
}

/// Any bytes are the index and the values of a checkpoint, of TensorFlow 2 or of 1, or an error. The first two bytes are the length of
/// the index.
pub fn tf_checkpoint(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return };
    let (index, data) = rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()));
    into_network(|model| checkpoint::load_bytes(model, input(), index, vec![data.to_vec()]));
    into_network(|model| saver::load_bytes(model, input(), index, vec![data.to_vec()]));
}
