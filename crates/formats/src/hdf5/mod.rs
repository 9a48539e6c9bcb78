//! The one place that touches the HDF5 crate, and the guards around it.
//!
//! Files are foreign: the size of every dataset is checked before it is read, groups are only ever looked up by name (never walked,
//! so a link to itself cannot go round), and what the crate itself lets through as a panic becomes an error.

mod bounded;
mod decode;
mod layout;
mod read;
mod write;

pub(crate) use layout::{Layout, layout_of};
pub(crate) use read::{Dataset, Reader};
pub(crate) use write::{Group, to_bytes};

/// What every HDF5 file begins with.
pub(crate) const MAGIC: &[u8] = b"\x89HDF\r\n\x1a\n";
