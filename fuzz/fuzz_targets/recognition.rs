//! `cargo +nightly fuzz run recognition`

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| maobi_fuzz_targets::body("recognition")(bytes));
