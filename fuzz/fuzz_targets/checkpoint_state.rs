//! `cargo +nightly fuzz run checkpoint_state`

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| maobi_fuzz_targets::body("checkpoint_state")(bytes));
