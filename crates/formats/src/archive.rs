//! The ZIP file around a `.keras` model, or around arrays.

use crate::error::{Error, Result};
use crate::files::{MAX_BYTES, check_room};
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Most members of an archive.
const MAX_MEMBERS: usize = 1000;
/// Room set aside for a member before its bytes prove its size.
const FIRST_ROOM: u64 = 1 << 20;

/// An archive that was read into memory.
pub(crate) struct Archive {
    path: PathBuf,
    zip: ZipArchive<Cursor<Vec<u8>>>,
    /// Bytes that may still be unpacked.
    left: u64,
}

impl Archive {
    /// Opens a file that was read into memory; `kind` is what it should be, for errors.
    pub(crate) fn open(path: &Path, bytes: Vec<u8>, kind: &str) -> Result<Archive> {
        if !bytes.starts_with(b"PK") {
            let what = if bytes.starts_with(crate::hdf5::MAGIC) { "an HDF5 file (\".h5\")" } else { "something else" };
            return Err(Error::damaged(path, format!("expected {kind} file (a ZIP archive), got {what}")));
        }
        let zip = maobi_guard::guard(|| ZipArchive::new(Cursor::new(bytes)));
        let zip = zip.map_err(|panicked| Error::damaged(path, format!("the ZIP archive: {panicked}")))?;
        let zip = zip.map_err(|e| Error::damaged(path, format!("the ZIP archive is damaged or cut short: {e}")))?;
        if zip.len() > MAX_MEMBERS {
            return Err(Error::damaged(path, format!("{} members; at most {MAX_MEMBERS} are read", zip.len())));
        }
        Ok(Archive { path: path.to_path_buf(), zip, left: MAX_BYTES })
    }

    /// Names of the members, in the order of the directory.
    pub(crate) fn names(&self) -> Vec<String> {
        (0..self.zip.len()).filter_map(|i| self.zip.name_for_index(i)?.ok().map(|name| name.into_owned())).collect()
    }

    /// Lowers the number of bytes that may be unpacked.
    #[cfg(test)]
    pub(crate) fn limit(&mut self, bytes: u64) {
        self.left = bytes;
    }

    /// The bytes of a member that must be there.
    pub(crate) fn take(&mut self, name: &str) -> Result<Vec<u8>> {
        let damaged = |message: String| Error::damaged(&self.path, format!("{name}: {message}"));
        let file = match self.zip.by_name(name) {
            Ok(file) => file,
            Err(zip::result::ZipError::FileNotFound) => {
                return Err(damaged("not in the archive".into()));
            }
            Err(error) => return Err(damaged(error.to_string())),
        };
        // The stated size is a claim: it bounds what is set aside first, and the bytes themselves are counted.
        let stated = file.size();
        check_room("unpacked, it", stated.min(self.left)).map_err(damaged)?;
        let mut bytes = Vec::with_capacity(stated.min(FIRST_ROOM) as usize);
        let left = self.left;
        let mut file = file.take(left.min(stated) + 1);
        let unpacked = maobi_guard::guard(|| file.read_to_end(&mut bytes)).map_err(|panicked| damaged(panicked.to_string()))?;
        unpacked.map_err(|e| damaged(e.to_string()))?;
        if left >= stated && bytes.len() as u64 > stated {
            return Err(damaged(format!("unpacks to more than the {stated} bytes that the archive states")));
        }
        if bytes.len() as u64 > left {
            return Err(damaged(format!("the archive unpacks to more than {MAX_BYTES} bytes")));
        }
        self.left -= bytes.len() as u64;
        Ok(bytes)
    }

    /// The members in a folder, without its name.
    pub(crate) fn extras(&mut self, folder: &str) -> Result<Vec<(String, Vec<u8>)>> {
        let names: Vec<String> = (0..self.zip.len())
            .filter_map(|i| self.zip.name_for_index(i)?.ok().map(|name| name.into_owned()))
            .filter(|name| name.len() > folder.len() && name.starts_with(folder) && !name.ends_with('/'))
            .collect();
        names.into_iter().map(|name| Ok((name[folder.len()..].to_string(), self.take(&name)?))).collect()
    }
}

/// An archive of these members, stored as they are, without times.
pub(crate) fn write(members: &[(String, Vec<u8>)]) -> Result<Vec<u8>, String> {
    let room = members.iter().map(|(name, bytes)| bytes.len() + 2 * name.len() + 100).sum::<usize>();
    let mut zip = ZipWriter::new(Cursor::new(Vec::with_capacity(room + 100)));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644)
            .large_file(u32::try_from(bytes.len()).is_err());
        zip.start_file(name.as_str(), options).map_err(|e| format!("{name}: {e}"))?;
        zip.write_all(bytes).map_err(|e| format!("{name}: {e}"))?;
    }
    zip.finish().map(Cursor::into_inner).map_err(|e| format!("the ZIP archive: {e}"))
}
