//! Writing `.npy`.

use super::Npy;
use super::header::code;
use crate::error::FormatError;

impl Npy {
    /// The bytes of a `.npy` file, format version 1.
    ///
    /// # Errors
    /// [`FormatError`] when shape and bytes do not fit, there are more than 32 dimensions, or NumPy lacks the type.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FormatError> {
        let Npy { element, shape, bytes } = self;
        let size = shape.iter().try_fold(element.size(), |n, &side| n.checked_mul(side));
        if size != Some(bytes.len()) || shape.len() > 32 {
            let expected = format!("as many bytes as {shape:?} elements of {} bytes take", element.size());
            return Err(FormatError::malformed(expected, bytes.len()));
        }
        let sides: String = match shape[..] {
            [one] => format!("{one},"),
            _ => shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
        };
        let code = code(*element).ok_or_else(|| FormatError::malformed("a type that NumPy has", element))?;
        let order = if element.size() == 1 { '|' } else { '<' };
        let mut header = format!("{{'descr': '{order}{code}', 'fortran_order': False, 'shape': ({sides}), }}");
        // The data starts on a multiple of 64 bytes, the line break ends the header.
        let padding = (64 - (10 + header.len() + 1) % 64) % 64;
        header.extend(std::iter::repeat_n(' ', padding).chain(['\n']));
        let length =
            u16::try_from(header.len()).map_err(|_| FormatError::malformed("a header below 65536 bytes", header.len()))?;
        Ok([b"\x93NUMPY\x01\x00", &length.to_le_bytes()[..], header.as_bytes(), bytes].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_are_numpys_own() {
        // numpy.lib.format.write_array(f, numpy.array([[1, 2]], 'u1'), version=(1, 0))
        let bytes = Npy::from_u8(&[1, 2], &[1, 2]).to_bytes().unwrap();
        let header = b"\x93NUMPY\x01\x00v\x00{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2), }";
        assert_eq!(&bytes[..header.len()], header);
        assert_eq!((bytes.len(), &bytes[126..]), (130, &[b' ', b'\n', 1, 2][..]));
    }

    #[test]
    fn sizes_must_fit() {
        let error = Npy::from_u8(&[3], &[1, 2]).to_bytes().unwrap_err().to_string();
        assert_eq!(error, "expected as many bytes as [3] elements of 1 bytes take, found 2");
    }
}
