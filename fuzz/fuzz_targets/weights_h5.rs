//! `cargo +nightly fuzz run weights_h5`

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| maobi_fuzz_targets::body("weights_h5")(bytes));
