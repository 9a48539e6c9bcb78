//! Any bytes are a network in Keras' JSON or an error: `cargo +nightly fuzz run network_json`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use maobi_formats::json;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(loaded) = json::load_bytes(Path::new("input"), bytes.to_vec(), 1) {
        assert!(loaded.model.weights().iter().all(|w| w.len() == w.shape.iter().product::<usize>()));
    }
});
