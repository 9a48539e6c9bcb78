//! Any bytes are a safetensors file or an error: `cargo +nightly fuzz run safetensors`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use maobi_formats::safetensors;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(loaded) = safetensors::load_bytes(Path::new("input"), bytes, 1) {
        assert!(loaded.model.weights().iter().all(|w| w.len() == w.shape.iter().product::<usize>()));
    }
});
