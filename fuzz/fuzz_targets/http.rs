//! `cargo +nightly fuzz run http`

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| maobi_fuzz_targets::body("http")(bytes));
