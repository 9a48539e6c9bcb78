//! `cargo +nightly fuzz run h5`

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| maobi_fuzz_targets::body("h5")(bytes));
