//! Any bytes are an ONNX file or an error: `cargo +nightly fuzz run onnx`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use maobi_formats::onnx;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(loaded) = onnx::load_bytes(Path::new("input"), bytes, 1) {
        assert!(loaded.model.weights().iter().all(|w| w.len() == w.shape.iter().product::<usize>()));
    }
});
