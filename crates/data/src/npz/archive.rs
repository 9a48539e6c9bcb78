//! The zip around the arrays.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, Write};
use std::path::Path;

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::error::DataError;
use crate::files::write_whole;
use crate::limits::Limits;
use crate::npy::{self, Npy};

/// An open `.npz`.
pub struct Archive<R> {
    file: String,
    length: u64,
    zip: ZipArchive<R>,
}

impl Archive<BufReader<File>> {
    /// Opens a `.npz` file and reads its directory.
    ///
    /// # Errors
    /// [`DataError::Read`], or [`DataError::Malformed`] when it is no zip.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let file = maobi_guard::open_file(path).map_err(DataError::read(path))?;
        let length = file.metadata().map_err(DataError::read(path))?.len();
        Archive::new(path.display().to_string(), BufReader::new(file), length)
    }
}

impl<'b> Archive<Cursor<&'b [u8]>> {
    /// Opens a `.npz` in memory; `file` is the name errors use.
    ///
    /// # Errors
    /// [`DataError::Malformed`] when it is no zip.
    pub fn parse(file: &str, bytes: &'b [u8]) -> Result<Self, DataError> {
        Archive::new(file.to_owned(), Cursor::new(bytes), bytes.len() as u64)
    }
}

impl<R: Read + Seek> Archive<R> {
    fn new(file: String, input: R, length: u64) -> Result<Self, DataError> {
        let damaged = |found: String| DataError::malformed(&file, "an npz, which is a zip of arrays", found);
        let zip = maobi_guard::guard(|| ZipArchive::new(input)).map_err(|panicked| damaged(panicked.to_string()))?;
        let zip = zip.map_err(|error| damaged(error.to_string()))?;
        Ok(Archive { file, length, zip })
    }

    /// Names of its arrays, sorted, without `.npy`.
    pub fn names(&self) -> Vec<String> {
        let name = |index| self.zip.name_for_index(index)?.ok().map(|name| name.trim_end_matches(".npy").to_owned());
        let mut names: Vec<String> = (0..self.zip.len()).filter_map(name).collect();
        names.sort();
        names
    }

    /// What errors call the array `name`.
    pub(crate) fn label(&self, name: &str) -> String {
        format!("{}!{name}.npy", self.file)
    }

    /// Reads the array `name`, stored or deflated.
    ///
    /// # Errors
    /// [`DataError::Malformed`] when there is none (the others are listed), and those of [`npy::read`].
    pub fn array(&mut self, name: &str, limits: &Limits) -> Result<Npy, DataError> {
        let label = self.label(name);
        let names = self.names();
        let mut member = self.zip.by_name(&format!("{name}.npy")).map_err(|error| match error {
            ZipError::FileNotFound => {
                DataError::malformed(&self.file, format!("an array named {name}"), format!("only {}", names.join(", ")))
            }
            error => DataError::malformed(&label, "a stored or deflated member", error),
        })?;
        // What the directory says is not trusted beyond the length of the file itself.
        let packed = member.compressed_size().min(self.length);
        let length = member.size();
        npy::read_from(&label, &mut member, length, Some(packed), limits)
    }
}

/// Writes a `.npz` of deflated arrays, whole or not at all. The same arrays give the same file: no time is stored.
///
/// # Errors
/// [`DataError::Invalid`] when an array's shape and bytes do not fit, [`DataError::Write`].
pub fn write(path: impl AsRef<Path>, arrays: &[(&str, &Npy)]) -> Result<(), DataError> {
    let path = path.as_ref();
    let file = path.display().to_string();
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).last_modified_time(zip::DateTime::default());
    let failed = |error: ZipError| DataError::Write { file: path.to_path_buf(), source: error.into() };
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, array) in arrays {
        let bytes = npy::to_bytes(&format!("{file}!{name}.npy"), array)?;
        zip.start_file(format!("{name}.npy"), options).map_err(failed)?;
        zip.write_all(&bytes).map_err(DataError::write(path))?;
    }
    let bytes = zip.finish().map_err(failed)?.into_inner();
    write_whole(path, |out| out.write_all(&bytes).map_err(DataError::write(path)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::damage::{cuts, flips};

    /// A small file with two arrays.
    fn sample() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npz");
        write(&path, &[("b", &Npy::from_u8(&[2, 3], &[1; 6])), ("a", &Npy::from_i64(&[1], &[5]))]).unwrap();
        std::fs::read(path).unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = sample();
        let mut archive = Archive::parse("f.npz", &bytes).unwrap();
        assert_eq!(archive.names(), ["a", "b"]);
        assert_eq!(archive.array("a", &Limits::default()).unwrap(), Npy::from_i64(&[1], &[5]));
        assert_eq!(archive.array("b", &Limits::default()).unwrap(), Npy::from_u8(&[2, 3], &[1; 6]));
        let error = archive.array("c", &Limits::default()).unwrap_err().to_string();
        assert_eq!(error, "f.npz: expected an array named c, found only a, b");
        assert_eq!(sample(), bytes);
    }

    #[test]
    fn no_zip_is_said_so() {
        let error = Archive::parse("f", b"not a zip at all, nothing of the kind").err().unwrap().to_string();
        assert!(error.starts_with("f: expected an npz, which is a zip of arrays"), "{error}");
    }

    #[test]
    fn limits_hold_inside_the_archive() {
        let bytes = sample();
        let limits = Limits { max_bytes: 5, ..Limits::default() };
        let error = Archive::parse("f", &bytes).unwrap().array("b", &limits).unwrap_err().to_string();
        assert_eq!(error, "f!b.npy: the size in bytes of its array is 6, more than the limit of 5");
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_an_error_or_an_array_of_the_announced_size() {
        let whole = sample();
        let limits = Limits { max_bytes: 1 << 12, ..Limits::default() };
        let read = |bytes: &[u8]| {
            if let Ok(mut archive) = Archive::parse("f", bytes) {
                for name in ["a", "b"] {
                    if let Ok(array) = archive.array(name, &limits) {
                        assert_eq!(array.bytes.len(), array.shape.iter().product::<usize>() * array.element.width());
                    }
                }
            }
        };
        cuts(&whole).for_each(read);
        flips(&whole).for_each(|bytes| read(&bytes));
    }
}
