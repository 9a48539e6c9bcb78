//! Readers of data sets.

use maobi_data::{Limits, idx};
use maobi_files::{Archive, FormatError, Npy};
use std::io::Cursor;

fn limits() -> Limits {
    Limits { max_bytes: 1 << 20, ..Limits::default() }
}

fn product(shape: &[usize]) -> usize {
    shape.iter().fold(1usize, |n, &side| n.saturating_mul(side))
}

/// Any bytes, packed with gzip or not, are an IDX array of the size that their header names, or an error.
pub fn idx(bytes: &[u8]) {
    let limits = limits();
    if let Ok(array) = idx::parse("input", bytes, &limits) {
        assert_eq!(array.bytes.len(), product(&array.dims) * array.element.size());
        assert!(array.bytes.capacity() as u64 <= limits.max_bytes);
    }
}

/// Any bytes are an npy, or an npz with arrays of the size that their headers name, or an error.
pub fn npz(bytes: &[u8]) {
    let limit = limits().max_bytes;
    check(Npy::read(bytes, bytes.len() as u64, None, limit), limit);
    let Ok(mut archive) = Archive::new(Cursor::new(bytes), limit) else { return };
    for name in archive.names().iter().take(8) {
        check(archive.array(name), limit);
    }
}

fn check(array: Result<Npy, FormatError>, limit: u64) {
    if let Ok(array) = array {
        assert_eq!(array.bytes.len(), product(&array.shape) * array.element.size());
        assert!(array.bytes.capacity() as u64 <= limit);
        let _ = (array.to_f32(), array.to_i64(), array.to_labels());
    }
}
