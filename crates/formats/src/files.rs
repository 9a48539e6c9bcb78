//! Reading a file whole, within bounds.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Largest file, and largest sum of unpacked members, that is read: 2 GiB.
pub(crate) const MAX_BYTES: u64 = 2 << 30;

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(Error::io(path, "read"))?;
    let len = file.metadata().map_err(Error::io(path, "read"))?.len();
    if len > MAX_BYTES {
        return Err(Error::damaged(path, format!("{len} bytes; at most {MAX_BYTES} are read")));
    }
    let mut bytes = Vec::with_capacity(len as usize);
    // One byte beyond tells a file that grew meanwhile.
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(Error::io(path, "read"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::damaged(path, format!("more than {MAX_BYTES} bytes")));
    }
    Ok(bytes)
}
