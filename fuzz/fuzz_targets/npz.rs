//! Any bytes are an npy or an npz with arrays of the size their headers say, or an error: `cargo +nightly fuzz run npz`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use maobi_data::npy::{self, Npy};
use maobi_data::npz::Archive;
use maobi_data::{DataError, Limits};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { max_bytes: 1 << 20, ..Limits::default() };
    check(npy::parse("input", bytes, &limits), &limits);
    let Ok(mut archive) = Archive::parse("input", bytes) else { return };
    for name in archive.names().iter().take(8) {
        check(archive.array(name, &limits), &limits);
    }
});

fn check(array: Result<Npy, DataError>, limits: &Limits) {
    if let Ok(array) = array {
        let count = array.shape.iter().fold(1usize, |n, &side| n.saturating_mul(side));
        assert_eq!(array.bytes.len(), count * array.element.width());
        assert!(array.bytes.capacity() as u64 <= limits.max_bytes);
        let _ = (array.to_f32(), array.to_i64(), array.to_labels("input"));
    }
}
