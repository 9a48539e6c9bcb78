//! Reading a file whole, within bounds.

use crate::error::{Error, Result};
pub(crate) use maobi_guard::memory::check_room;
use std::io::Read;
use std::path::Path;

/// Largest file, and largest sum of unpacked members, that is read: 2 GiB.
pub(crate) const MAX_BYTES: u64 = 2 << 30;

/// Longest JSON that describes a network: 10,000 layers, which are the most that are read, take half of it. Parsed, it can take ten
/// times as much.
pub(crate) const MAX_JSON: usize = 32 << 20;

/// An error for JSON that is longer than any network's.
pub(crate) fn check_json(what: &str, bytes: usize) -> Result<(), String> {
    if bytes > MAX_JSON { Err(format!("{what} has {bytes} bytes; at most {MAX_JSON} are read")) } else { Ok(()) }
}

/// The bytes of a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let file = maobi_guard::open_file(path).map_err(Error::io(path, "read"))?;
    let len = file.metadata().map_err(Error::io(path, "read"))?.len();
    if len > MAX_BYTES {
        return Err(Error::damaged(path, format!("{len} bytes; at most {MAX_BYTES} are read")));
    }
    check_room("the file", len).map_err(|message| Error::damaged(path, message))?;
    let mut bytes = Vec::with_capacity(len as usize);
    // One byte beyond tells a file that grew meanwhile.
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(Error::io(path, "read"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::damaged(path, format!("more than {MAX_BYTES} bytes")));
    }
    Ok(bytes)
}
