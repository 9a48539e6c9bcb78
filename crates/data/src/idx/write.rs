//! Writing IDX.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Idx;
use super::header::code;
use crate::error::DataError;
use crate::files::write_whole;

/// Writes an IDX file, whole or not at all.
///
/// # Errors
/// [`DataError::Invalid`] when dimensions and bytes do not fit, [`DataError::Write`].
pub fn write(path: impl AsRef<Path>, array: &Idx) -> Result<(), DataError> {
    let path = path.as_ref();
    let header = header(path, array)?;
    write_whole(path, |out| out.write_all(&header).and_then(|()| out.write_all(&array.bytes)).map_err(DataError::write(path)))
}

/// Writes an IDX file packed with gzip, whole or not at all. The same array gives the same file: no time is stored.
///
/// # Errors
/// Those of [`write()`].
pub fn write_gz(path: impl AsRef<Path>, array: &Idx) -> Result<(), DataError> {
    let path = path.as_ref();
    let header = header(path, array)?;
    write_whole(path, |out| {
        let mut out = GzEncoder::new(out, Compression::best());
        out.write_all(&header)
            .and_then(|()| out.write_all(&array.bytes))
            .and_then(|()| out.finish().map(drop))
            .map_err(DataError::write(path))
    })
}

fn header(path: &Path, array: &Idx) -> Result<Vec<u8>, DataError> {
    let name = path.display().to_string();
    let size = array.dims.iter().try_fold(array.element.size(), |n, &dim| n.checked_mul(dim));
    if size != Some(array.bytes.len()) || array.dims.is_empty() {
        let expected = format!("as many bytes as {:?} elements of {} bytes take", array.dims, array.element.size());
        return Err(DataError::invalid(&name, expected, array.bytes.len()));
    }
    let count = u8::try_from(array.dims.len()).ok().filter(|n| *n <= 8);
    let count = count.ok_or_else(|| DataError::invalid(&name, "at most 8 dimensions", array.dims.len()))?;
    let code = code(array.element).ok_or_else(|| DataError::invalid(&name, "a type that IDX has", array.element))?;
    let mut header = vec![0, 0, code, count];
    for &dim in &array.dims {
        let dim = u32::try_from(dim).map_err(|_| DataError::invalid(&name, "dimensions below 4294967296", dim))?;
        header.extend(dim.to_be_bytes());
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idx::Element;

    #[test]
    fn sizes_must_fit() {
        let array = Idx { element: Element::U8, dims: vec![2, 2], bytes: vec![0; 3] };
        let error = write("x", &array).unwrap_err().to_string();
        assert_eq!(error, "x: expected as many bytes as [2, 2] elements of 1 bytes take, found 3");
    }
}
