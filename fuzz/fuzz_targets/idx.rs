//! Any bytes are an IDX array of the size their header says, or an error: `cargo +nightly fuzz run idx`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use maobi_data::{Limits, idx};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { max_bytes: 1 << 20, ..Limits::default() };
    if let Ok(array) = idx::parse("input", bytes, &limits) {
        let count = array.dims.iter().fold(1usize, |n, &side| n.saturating_mul(side));
        assert_eq!(array.bytes.len(), count * array.element.width());
        assert!(array.bytes.capacity() as u64 <= limits.max_bytes);
    }
});
