//! Every target in one program, chosen by `MAOBI_FUZZ_TARGET`: one build where many targets run in turn. See `fuzz/run`.

#![no_main]

use std::sync::LazyLock;

static BODY: LazyLock<maobi_fuzz_targets::Body> = LazyLock::new(|| {
    let name = std::env::var("MAOBI_FUZZ_TARGET").expect("MAOBI_FUZZ_TARGET names a target");
    maobi_fuzz_targets::body(&name)
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| BODY(bytes));
