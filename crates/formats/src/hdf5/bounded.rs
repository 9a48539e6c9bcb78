//! The bytes of an HDF5 file, of which each request may read only so many.
//!
//! Metadata can point many times at the same bytes: 4,000 texts of an attribute may all be one text of a megabyte. Each is read, and kept, on
//! its own, so a bound on the bytes that are read is one on the memory that is taken.

use hdf5_pure::{FormatError, ReadSeekSource, Source};
use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often each byte of a file may be read for one request; sound files need less than 3 for all they hold.
const TIMES: u64 = 8;
/// Bytes that may be read of the smallest file.
const LEAST: u64 = 4 << 20;

/// A source whose reads are counted. Clones share the count.
#[derive(Clone)]
pub(super) struct Bounded(Arc<Counted>);

struct Counted {
    bytes: Bytes,
    left: AtomicU64,
}

enum Bytes {
    Memory(Vec<u8>),
    File(ReadSeekSource<File>),
}

impl Bounded {
    /// A file that was read into memory.
    pub(super) fn new(bytes: Vec<u8>) -> Bounded {
        Bounded::of(Bytes::Memory(bytes))
    }

    /// A file of which parts are read when they are needed.
    pub(super) fn streaming(file: File) -> Result<Bounded, String> {
        Ok(Bounded::of(Bytes::File(ReadSeekSource::new(file).map_err(|e| e.to_string())?)))
    }

    fn of(bytes: Bytes) -> Bounded {
        let source = Bounded(Arc::new(Counted { bytes, left: AtomicU64::new(0) }));
        source.refill();
        source
    }

    /// Counts anew, for the next request.
    pub(super) fn refill(&self) {
        self.0.left.store(self.len().saturating_mul(TIMES).max(LEAST), Ordering::Relaxed);
    }
}

impl Source for Bounded {
    fn len(&self) -> u64 {
        match &self.0.bytes {
            Bytes::Memory(bytes) => bytes.len() as u64,
            Bytes::File(file) => file.len(),
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FormatError> {
        let taken = |left: u64| left.checked_sub(buffer.len() as u64);
        if self.0.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_err() {
            return Err(FormatError::Source("the same bytes are used too many times over".into()));
        }
        match &self.0.bytes {
            Bytes::File(file) => file.read_at(offset, buffer),
            Bytes::Memory(bytes) => {
                let start = usize::try_from(offset).ok();
                let end = start.and_then(|start| start.checked_add(buffer.len()));
                let Some(part) = start.zip(end).and_then(|(start, end)| bytes.get(start..end)) else {
                    let (expected, available) = (end.unwrap_or(usize::MAX), bytes.len());
                    return Err(FormatError::UnexpectedEof { expected, available });
                };
                buffer.copy_from_slice(part);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_counted_and_stay_inside() {
        let source = Bounded::new(vec![7; 1000]);
        let mut buffer = [0; 1000];
        let full = (LEAST / 1000) as usize;
        for _ in 0..full {
            source.read_at(0, &mut buffer).unwrap();
        }
        assert!(source.read_at(0, &mut buffer).unwrap_err().to_string().contains("too many times"));
        source.refill();
        source.read_at(0, &mut buffer).unwrap();
        assert_eq!(buffer, [7; 1000]);
        source.read_at(1, &mut buffer).unwrap_err();
        source.read_at(u64::MAX, &mut buffer).unwrap_err();
    }
}
