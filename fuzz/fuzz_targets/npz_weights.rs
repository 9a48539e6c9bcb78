//! `cargo +nightly fuzz run npz_weights`

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| maobi_fuzz_targets::body("npz_weights")(bytes));
