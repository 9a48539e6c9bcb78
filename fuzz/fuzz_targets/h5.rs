//! Any bytes are a whole model or weights in an older layout of Keras, or an error that changes nothing: `cargo +nightly fuzz run h5`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use maobi_formats::h5;
use maobi_nn::Model;
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, InputLayer};
use std::path::Path;

fn network() -> Option<Model> {
    Sequential::new().add(InputLayer::new([2])).add(Dense::new(3)).build(1).ok()
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(loaded) = h5::load_bytes(Path::new("input"), bytes.to_vec(), 1) {
        assert!(loaded.model.weights().iter().all(|w| w.len() == w.shape.iter().product::<usize>()));
    }
    let (Some(mut model), Some(fresh)) = (network(), network()) else { return };
    if h5::load_weights_bytes(&mut model, Path::new("input"), bytes.to_vec()).is_err() {
        for (weight, before) in model.weights().iter().zip(fresh.weights()) {
            assert_eq!(weight.values()[..], before.values()[..]);
        }
    }
});
