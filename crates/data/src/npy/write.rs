//! Writing `.npy`.

use std::path::Path;

use super::Npy;
use crate::error::DataError;
use crate::files::write_whole;

/// Writes a `.npy` file, format version 1, whole or not at all.
///
/// # Errors
/// [`DataError::Invalid`] when shape and bytes do not fit, [`DataError::Write`].
pub fn write(path: impl AsRef<Path>, array: &Npy) -> Result<(), DataError> {
    let path = path.as_ref();
    let bytes = to_bytes(&path.display().to_string(), array)?;
    write_whole(path, |out| out.write_all(&bytes).map_err(DataError::write(path)))
}

/// The bytes of a `.npy` file, format version 1; `file` is the name errors use.
///
/// # Errors
/// [`DataError::Invalid`] when shape and bytes do not fit, or there are more than 32 dimensions.
pub fn to_bytes(file: &str, array: &Npy) -> Result<Vec<u8>, DataError> {
    let Npy { element, shape, bytes } = array;
    let size = shape.iter().try_fold(element.width(), |n, &side| n.checked_mul(side));
    if size != Some(bytes.len()) || shape.len() > 32 {
        let expected = format!("as many bytes as {shape:?} elements of {} bytes take", element.width());
        return Err(DataError::invalid(file, expected, bytes.len()));
    }
    let sides: String = match shape[..] {
        [one] => format!("{one},"),
        _ => shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
    };
    let mut header = format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({sides}), }}", element.descr());
    // The data starts on a multiple of 64 bytes, the line break ends the header.
    let padding = (64 - (10 + header.len() + 1) % 64) % 64;
    header.extend(std::iter::repeat_n(' ', padding).chain(['\n']));
    let length = u16::try_from(header.len()).map_err(|_| DataError::invalid(file, "a header below 65536 bytes", header.len()))?;
    Ok([b"\x93NUMPY\x01\x00", &length.to_le_bytes()[..], header.as_bytes(), bytes].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_numpys_own() {
        // numpy.lib.format.write_array(f, numpy.array([[1, 2]], 'u1'), version=(1, 0))
        let bytes = to_bytes("f", &Npy::from_u8(&[1, 2], &[1, 2])).unwrap();
        let header = b"\x93NUMPY\x01\x00v\x00{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2), }";
        assert_eq!(&bytes[..header.len()], header);
        assert_eq!((bytes.len(), &bytes[126..]), (130, &[b' ', b'\n', 1, 2][..]));
    }

    #[test]
    fn sizes_must_fit() {
        let error = to_bytes("f", &Npy::from_u8(&[3], &[1, 2])).unwrap_err().to_string();
        assert_eq!(error, "f: expected as many bytes as [3] elements of 1 bytes take, found 2");
    }
}
