//! `cargo +nightly fuzz run tf_checkpoint`

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| maobi_fuzz_targets::body("tf_checkpoint")(bytes));
