//! Any bytes are the weights of a small network or an error that changes nothing: `cargo +nightly fuzz run npz_weights`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use maobi_formats::npz;
use maobi_nn::Model;
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, InputLayer};
use std::path::Path;

fn network() -> Option<Model> {
    Sequential::new().add(InputLayer::new([2])).add(Dense::new(3)).build(1).ok()
}

fuzz_target!(|bytes: &[u8]| {
    let (Some(mut model), Some(fresh)) = (network(), network()) else { return };
    if npz::load_bytes(&mut model, Path::new("input"), bytes.to_vec()).is_err() {
        for (weight, before) in model.weights().iter().zip(fresh.weights()) {
            assert_eq!(weight.values()[..], before.values()[..]);
        }
    }
});
