//! `cargo +nightly fuzz run keras`

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| maobi_fuzz_targets::body("keras")(bytes));
