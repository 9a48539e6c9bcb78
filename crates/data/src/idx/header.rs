//! The head of an IDX file.

use std::io::Read;

use crate::error::DataError;

/// Dimensions beyond this many are taken for a damaged file.
const MOST_DIMS: u8 = 8;

/// Type of the elements, by the code that stands third in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    /// Code 0x08.
    U8,
    /// Code 0x09.
    I8,
    /// Code 0x0b.
    I16,
    /// Code 0x0c.
    I32,
    /// Code 0x0d.
    F32,
    /// Code 0x0e.
    F64,
}

impl ElementType {
    const CODES: [(u8, ElementType); 6] = [
        (0x08, ElementType::U8),
        (0x09, ElementType::I8),
        (0x0b, ElementType::I16),
        (0x0c, ElementType::I32),
        (0x0d, ElementType::F32),
        (0x0e, ElementType::F64),
    ];

    /// Bytes of one element.
    pub fn width(self) -> usize {
        match self {
            ElementType::U8 | ElementType::I8 => 1,
            ElementType::I16 => 2,
            ElementType::I32 | ElementType::F32 => 4,
            ElementType::F64 => 8,
        }
    }

    /// The code in the file.
    pub fn code(self) -> u8 {
        Self::CODES.iter().find(|(_, element)| *element == self).map_or(0, |(code, _)| *code)
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::CODES.iter().find(|(c, _)| *c == code).map(|(_, element)| *element)
    }
}

/// Reads the head: type, dimensions, and the bytes it took.
pub(super) fn read_header(file: &str, input: &mut impl Read) -> Result<(ElementType, Vec<usize>, u64), DataError> {
    let mut magic = [0u8; 4];
    take(file, input, &mut magic, 0)?;
    let [0, 0, code, count] = magic else {
        let expected = "an IDX file, which starts with two zero bytes (packed with gzip or not)";
        return Err(DataError::malformed(file, expected, format!("{:02x} {:02x}", magic[0], magic[1])));
    };
    let element = ElementType::from_code(code)
        .ok_or_else(|| DataError::malformed(file, "an IDX type code 08, 09, 0b, 0c, 0d or 0e", format!("{code:02x}")))?;
    if count == 0 || count > MOST_DIMS {
        return Err(DataError::malformed(file, format!("1 to {MOST_DIMS} dimensions"), count));
    }
    let mut dims = Vec::with_capacity(usize::from(count));
    for i in 0..u64::from(count) {
        let mut dim = [0u8; 4];
        take(file, input, &mut dim, 4 + 4 * i)?;
        dims.push(u32::from_be_bytes(dim) as usize);
    }
    Ok((element, dims, 4 + 4 * u64::from(count)))
}

/// Fills `out`, which stands `at` bytes from the start.
fn take(file: &str, input: &mut impl Read, out: &mut [u8], at: u64) -> Result<(), DataError> {
    input.read_exact(out).map_err(|error| {
        DataError::malformed(
            file,
            format!("an IDX header of at least {} bytes", at + out.len() as u64),
            format!("less ({error})"),
        )
    })
}
