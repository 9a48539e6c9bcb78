//! Any bytes are a .keras file or an error: `cargo +nightly fuzz run keras`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use maobi_formats::keras;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(loaded) = keras::load_bytes(Path::new("input"), bytes.to_vec(), 1) {
        assert!(loaded.model.weights().iter().all(|w| w.len() == w.shape.iter().product::<usize>()));
    }
});
