//! The memory that requests may take together: connections, bodies, what is read from them, and answers that are not sent yet.
//!
//! All of it is counted in one place, so that clients cannot fill the machine's memory from several sides at once. Connections are
//! always counted and never refused here, because their number has a bound of its own; everything else is refused when the bound is
//! reached, before the memory is allocated.

use crate::metrics::{Metrics, Rejected};
use axum::body::Bytes;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// What one connection counts for, in bytes: its buffers in both directions, its task, and bodies and answers of up to [`SMALL`] bytes.
pub const CONNECTION: usize = 64 << 10;
/// Up to this many bytes, a body or an answer is part of what its connection counts for.
pub const SMALL: usize = 4 << 10;

/// There is no memory left for a request or its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server holds as many requests and answers as it has memory for; try again")]
pub struct NoRoom;

/// The count, and its bound.
#[derive(Debug)]
pub struct Memory {
    most: usize,
    held: AtomicUsize,
    metrics: Arc<Metrics>,
}

/// Some of the memory, given back when it is dropped. The default is a share of no memory, which grows without a bound.
#[derive(Debug, Default)]
pub struct Share {
    of: Option<Arc<Memory>>,
    bytes: usize,
}

impl Memory {
    /// With a bound in bytes.
    pub fn new(most: usize, metrics: Arc<Metrics>) -> Arc<Self> {
        Arc::new(Self { most, held: AtomicUsize::new(0), metrics })
    }

    /// Bytes that are counted now.
    pub fn held(&self) -> usize {
        self.held.load(Relaxed)
    }

    /// A share of nothing yet.
    pub fn none(self: &Arc<Self>) -> Share {
        Share { of: Some(Arc::clone(self)), bytes: 0 }
    }

    /// The share of a connection, which is never refused.
    pub fn connection(self: &Arc<Self>) -> Share {
        self.held.fetch_add(CONNECTION, Relaxed);
        Share { of: Some(Arc::clone(self)), bytes: CONNECTION }
    }

    /// A share of `bytes`.
    ///
    /// # Errors
    /// [`NoRoom`] when that is more than is left.
    pub fn share(self: &Arc<Self>, bytes: usize) -> Result<Share, NoRoom> {
        let mut share = self.none();
        share.set(bytes)?;
        Ok(share)
    }

    fn take(&self, bytes: usize) -> Result<(), NoRoom> {
        let room = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.most);
        self.held.fetch_update(Relaxed, Relaxed, room).map(drop).map_err(|_| {
            self.metrics.reject(Rejected::Memory);
            NoRoom
        })
    }
}

impl Share {
    /// Makes it a share of `bytes` in all, more or fewer than before; up to [`SMALL`] bytes count nothing.
    ///
    /// # Errors
    /// [`NoRoom`] when that is more than is left; the share stays as it was.
    pub fn set(&mut self, bytes: usize) -> Result<(), NoRoom> {
        let bytes = if bytes <= SMALL { 0 } else { bytes };
        if let Some(memory) = &self.of {
            if bytes > self.bytes {
                memory.take(bytes - self.bytes)?;
            } else {
                memory.held.fetch_sub(self.bytes - bytes, Relaxed);
            }
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(memory) = &self.of {
            memory.held.fetch_sub(self.bytes, Relaxed);
        }
    }
}

/// A body, and the memory that is counted for it.
#[derive(Debug)]
pub struct Held {
    bytes: Bytes,
    share: Share,
}

impl Held {
    /// `share` is what is counted for the bytes.
    pub fn new(bytes: Bytes, share: Share) -> Self {
        Self { bytes, share }
    }

    /// Counts memory for what will be read from the body, too: up to `times` its size.
    ///
    /// # Errors
    /// [`NoRoom`] when there is not so much left.
    pub fn reserve(&mut self, times: usize) -> Result<(), NoRoom> {
        self.share.set(self.bytes.len().saturating_mul(times + 1))
    }

    /// Lets the bytes go. What is counted stays the same until it is set anew.
    pub fn parsed(self) -> Share {
        self.share
    }
}

impl Deref for Held {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_grow_shrink_and_come_back() {
        let memory = Memory::new(100_000, Arc::default());
        let mut share = memory.share(60_000).unwrap();
        assert!(memory.share(40_001).is_err());
        let other = memory.share(40_000).unwrap();
        assert!(share.set(60_001).is_err());
        assert_eq!(memory.held(), 100_000);
        share.set(10_000).unwrap();
        assert_eq!(memory.held(), 50_000);
        // Connections are counted and never refused; what they cover is free.
        let connections = [memory.connection(), memory.connection()];
        assert!(memory.share(SMALL).is_ok() && memory.share(SMALL + 1).is_err());
        drop((share, other, connections));
        assert_eq!(memory.held(), 0);
    }
}
