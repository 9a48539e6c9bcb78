//! `cargo +nightly fuzz run members`

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| maobi_fuzz_targets::body("members")(bytes));
