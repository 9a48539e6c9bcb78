//! `cargo +nightly fuzz run onnx`

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| maobi_fuzz_targets::body("onnx")(bytes));
