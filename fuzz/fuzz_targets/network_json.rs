//! `cargo +nightly fuzz run network_json`

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| maobi_fuzz_targets::body("network_json")(bytes));
