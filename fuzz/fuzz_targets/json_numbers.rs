//! `cargo +nightly fuzz run json_numbers`

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| maobi_fuzz_targets::body("json_numbers")(bytes));
