//! NumPy's `.npy` files: one array each.

use crate::error::DataError;
use crate::files::write_whole;
use crate::limits::Limits;
pub use maobi_files::Npy;
pub use maobi_files::numbers::Element;
use std::io::BufReader;
use std::path::Path;

/// Reads a `.npy` file.
///
/// # Errors
/// [`DataError`] naming the file: unreadable, not npy, a type that is not read, shorter or longer than its header says, or beyond
/// `limits`.
pub fn read(path: impl AsRef<Path>, limits: &Limits) -> Result<Npy, DataError> {
    let path = path.as_ref();
    let file = maobi_guard::open_file(path).map_err(DataError::read(path))?;
    let length = file.metadata().map_err(DataError::read(path))?.len();
    let array = Npy::read(BufReader::new(file), length, None, limits.max_bytes);
    array.map_err(DataError::content(&path.display().to_string()))
}

/// Writes a `.npy` file, format version 1, whole or not at all.
///
/// # Errors
/// [`DataError::Content`] when shape and bytes do not fit, [`DataError::Write`].
pub fn write(path: impl AsRef<Path>, array: &Npy) -> Result<(), DataError> {
    let path = path.as_ref();
    let bytes = array.to_bytes().map_err(DataError::content(&path.display().to_string()))?;
    write_whole(path, |out| out.write_all(&bytes).map_err(DataError::write(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_within_the_limits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        let array = Npy::from_f32(&[2, 1], &[1.5, -2.0]);
        write(&path, &array).unwrap();
        assert_eq!(read(&path, &Limits::default()).unwrap(), array);
        let error = read(&path, &Limits { max_bytes: 7, ..Limits::default() }).unwrap_err().to_string();
        assert!(error.ends_with("a.npy: the size in bytes of its array is 8, more than the limit of 7"), "{error}");
    }
}
