//! `cargo +nightly fuzz run v2_request`

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| maobi_fuzz_targets::body("v2_request")(bytes));
