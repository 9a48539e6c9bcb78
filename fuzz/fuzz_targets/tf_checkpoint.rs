//! Any bytes are an index and a file of values of a checkpoint or an error that changes nothing:
//! `cargo +nightly fuzz run tf_checkpoint`.
//!
//! The first two bytes say where the one ends and the other begins.

#![no_main]

use libfuzzer_sys::fuzz_target;
use maobi_formats::tensorflow::{checkpoint, saver};
use maobi_nn::Model;
use maobi_nn::graph::Sequential;
use maobi_nn::layers::{Dense, InputLayer};
use std::path::Path;

fn network() -> Option<Model> {
    Sequential::new().add(InputLayer::new([2])).add(Dense::new(3)).build(1).ok()
}

fn unchanged(model: &Model) {
    let Some(fresh) = network() else { return };
    for (weight, before) in model.weights().iter().zip(fresh.weights()) {
        assert_eq!(weight.values()[..], before.values()[..]);
    }
}

fuzz_target!(|bytes: &[u8]| {
    let (Some(mut model), Some((length, rest))) = (network(), bytes.split_first_chunk::<2>()) else { return };
    let (index, data) = rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()));
    if checkpoint::load_bytes(&mut model, Path::new("input"), index, vec![data.to_vec()]).is_err() {
        unchanged(&model);
    }
    let Some(mut model) = network() else { return };
    if saver::load_bytes(&mut model, Path::new("input"), index, vec![data.to_vec()]).is_err() {
        unchanged(&model);
    }
});
