//! The ZIP archive around a `.keras` model or around arrays, with this crate's errors.

use crate::error::{Error, Result};
use crate::files::MAX_BYTES;
use maobi_files::{FormatError, Npy};
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// An archive that was read into memory.
pub(crate) struct Archive {
    path: PathBuf,
    zip: maobi_files::Archive<Cursor<Vec<u8>>>,
}

impl Archive {
    /// Opens a file that was read into memory; `kind` is what it should be, for errors.
    pub(crate) fn open(path: &Path, bytes: Vec<u8>, kind: &str) -> Result<Archive> {
        if !bytes.starts_with(b"PK") {
            let what = if bytes.starts_with(crate::hdf5::MAGIC) { "an HDF5 file (\".h5\")" } else { "something else" };
            return Err(Error::damaged(path, format!("expected {kind} file (a ZIP archive), got {what}")));
        }
        let zip = maobi_files::Archive::new(Cursor::new(bytes), MAX_BYTES).map_err(|e| Error::damaged(path, e.to_string()))?;
        Ok(Archive { path: path.to_path_buf(), zip })
    }

    /// Names of the members, in the order of the directory.
    pub(crate) fn names(&self) -> Vec<String> {
        self.zip.names()
    }

    /// The bytes of a member that must be there.
    pub(crate) fn take(&mut self, name: &str) -> Result<Vec<u8>> {
        self.zip.take(name).map_err(|e| Error::damaged(&self.path, e.to_string()))
    }

    /// The array in a member that must be there.
    pub(crate) fn array(&mut self, name: &str) -> Result<Npy, FormatError> {
        self.zip.array(name)
    }

    /// The members in a folder, without its name.
    pub(crate) fn extras(&mut self, folder: &str) -> Result<Vec<(String, Vec<u8>)>> {
        let inside = |name: &String| name.len() > folder.len() && name.starts_with(folder) && !name.ends_with('/');
        let names = self.names().into_iter().filter(inside);
        names.map(|name| Ok((name[folder.len()..].to_string(), self.take(&name)?))).collect()
    }
}

/// An archive of these members, stored as they are, without times.
pub(crate) fn write(members: &[(String, Vec<u8>)]) -> Result<Vec<u8>, String> {
    maobi_files::archive(members, false).map_err(|e| e.to_string())
}
